extension OpenAPIDocument {
    /// What happened in a session: its events, live and before, its recording, its conversation.
    static let pastPaths = #"""
        {
         "/v1/sessions/{id}/events": {
          "get": {
           "operationId": "sessionEvents",
           "summary": "The session's events, live and replayed; wakes nothing",
           "tags": ["events"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "since",
             "in": "query",
             "required": false,
             "schema": {"type": "integer"},
             "description": "Replay the events after this sequence number first."
            },
            {
             "name": "Last-Event-ID",
             "in": "header",
             "required": false,
             "schema": {"type": "string"},
             "description": "The same, as browsers send it; counts before `since`."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "200": \#(eventStream),
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/recording": {
          "get": {
           "operationId": "getRecording",
           "summary": "The terminal's past as asciicast v2, through to now",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one; with `input=true`, one that may type into the session. Streamed from the journal, whether the session runs or not. `o` output, `r` resizes, `i` input when asked for, `m` where something is not kept any more. Pauses are shown as at most 3 s. 409 for a session that never had a terminal.",
           "parameters": [
            {
             "name": "since",
             "in": "query",
             "required": false,
             "schema": {"type": "integer"},
             "description": "Only what comes after this sequence number."
            },
            {
             "name": "input",
             "in": "query",
             "required": false,
             "schema": {"type": "boolean"},
             "description": "With what was typed, secrets included."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "200": {
             "description": "A header line, then a line an event.",
             "content": {"application/x-asciicast": {"schema": {"type": "string"}}}
            },
            "409": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/history": {
          "get": {
           "operationId": "getHistory",
           "summary": "The newest events, or those before one: backwards, page by page",
           "tags": ["events"],
           "description": "Needs the role viewer or a higher one. Read from the journal, whether the session runs or not; wakes nothing. What comes after the first page is told by `/events?since=` with the last item's `seq` (0 when there is none).",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 300}
            },
            {
             "name": "before",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1},
             "description": "Events below this number; a page's `before`. Left out: the newest."
            }
           ],
           "responses": {
            "200": {
             "description": "Oldest first; a `gap` first where some are gone. A page may be shorter than `limit`, and empty, though there is more.",
             "content": {"application/json": {"schema": {
              "type": "object",
              "required": ["items", "before"],
              "properties": {
               "items": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
               "before": {"type": ["integer", "null"], "description": "What to ask for next; null: nothing is older."}
              }
             }}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/transcript": {
          "get": {
           "operationId": "getTranscript",
           "summary": "The conversation: messages, tools and permissions, oldest first",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one. Read from the journal, whether the session runs or not.",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}
            },
            {
             "name": "cursor",
             "in": "query",
             "required": false,
             "schema": {"type": "string"},
             "description": "A page's `next_cursor`, or the `seq` of the last item that is known."
            }
           ],
           "responses": {
            "200": \#(page(of: "Event", "A page; `next_cursor` is null at the present end.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         }
        }
        """#
}
