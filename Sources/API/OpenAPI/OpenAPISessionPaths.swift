extension OpenAPIDocument {
    /// Paths of sessions.
    static let sessionPaths = #"""
        {
         "/v1/sessions": {
          "post": {
           "operationId": "createSession",
           "summary": "Make a session and start it",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "parameters": [
            {
             "name": "Idempotency-Key",
             "in": "header",
             "required": false,
             "schema": {"type": "string", "maxLength": 255},
             "description": "The same key of the same caller gives the session that the first request made."
            }
           ],
           "requestBody": {
            "required": false,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SessionCreation"}}}
           },
           "responses": {
            "201": {
             "description": "It runs.",
             "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Session"}}},
             "headers": {"Location": {"schema": {"type": "string"}, "description": "Its path."}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "get": {
           "operationId": "listSessions",
           "summary": "List the sessions the caller may see",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "lifecycle",
             "in": "query",
             "required": false,
             "schema": {"$ref": "#/components/schemas/Lifecycle"},
             "description": "Only these."
            },
            {
             "name": "activity",
             "in": "query",
             "required": false,
             "schema": {"$ref": "#/components/schemas/Activity"},
             "description": "Only these."
            },
            {
             "name": "label",
             "in": "query",
             "required": false,
             "schema": {"type": "string"},
             "description": "Only those with this label, as `key:value`."
            },
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
             "description": "Items a page."
            },
            {
             "name": "cursor",
             "in": "query",
             "required": false,
             "schema": {"type": "string"},
             "description": "`next_cursor` of the page before."
            }
           ],
           "responses": {
            "200": \#(page(of: "Session", "One page, newest first.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/sessions/{id}": {
          "get": {
           "operationId": "getSession",
           "summary": "One session",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": \#(answer(of: "Session", "The session.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "patch": {
           "operationId": "updateSession",
           "summary": "Change a session's name, labels, pin or timeouts",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/SessionPatch"}}}
           },
           "responses": {
            "200": \#(answer(of: "Session", "The session after it.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "delete": {
           "operationId": "deleteSession",
           "summary": "Stop a session and remove it",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "parameters": [
            {
             "name": "keep_workspace",
             "in": "query",
             "required": false,
             "schema": {"type": "boolean", "default": false},
             "description": "Keep the workspace's files."
            }
           ],
           "responses": {"204": {"description": "It is gone."}, "default": {"$ref": "#/components/responses/Problem"}}
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/stop": {
          "post": {
           "operationId": "stopSession",
           "summary": "Stop; only resume starts it again. Idempotent",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": \#(answer(of: "Session", "The session after it.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/park": {
          "post": {
           "operationId": "parkSession",
           "summary": "Park; any input wakes it again. Idempotent",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": \#(answer(of: "Session", "The session after it.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/resume": {
          "post": {
           "operationId": "resumeSession",
           "summary": "Start a parked, stopped or failed session again. Idempotent",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": \#(answer(of: "Session", "The session after it.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/fork": {
          "post": {
           "operationId": "forkSession",
           "summary": "Make a session that begins as a copy of a structured one at rest; that one stays as it is",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one. Workspace, home and conversation are copied, within the disk of the policy, which is the same; what is not said is as in the session that is copied. 409 while a turn runs, and for a terminal session. 507 when the copy does not fit.",
           "parameters": [
            {
             "name": "Idempotency-Key",
             "in": "header",
             "required": false,
             "schema": {"type": "string", "maxLength": 255},
             "description": "The same key of the same caller gives the session that the first request made."
            }
           ],
           "requestBody": {
            "required": false,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "additionalProperties": false,
               "properties": {
                "id": {"type": "string", "format": "uuid"},
                "name": {"type": "string", "maxLength": 200},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "model": {"type": "string"},
                "permission_mode": {"type": "string"},
                "prompt": {"type": "string", "description": "Said to it once it is ready."}
               }
              }
             }
            }
           },
           "responses": {
            "201": \#(answer(of: "Session", "The new session, which runs. Its log begins with `session.forked`.")),
            "409": {"$ref": "#/components/responses/Problem"},
            "507": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/interrupt": {
          "post": {
           "operationId": "interruptSession",
           "summary": "Cancel the running turn",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "responses": {"204": {"description": "Asked for."}, "default": {"$ref": "#/components/responses/Problem"}}
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/input": {
          "post": {
           "operationId": "sendInput",
           "summary": "Type text into the session, waking it when parked",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Input"}}}
           },
           "responses": {
            "202": {
             "description": "It is in the session's log, on the disk.",
             "content": {
              "application/json": {"schema": {"type": "object", "required": ["seq"], "properties": {"seq": {"type": "integer"}}}}
             }
            },
            "507": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/screen": {
          "get": {
           "operationId": "getScreen",
           "summary": "The screen now; wakes nothing",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one. 409 for a structured session, which has none.",
           "parameters": [
            {
             "name": "format",
             "in": "query",
             "required": false,
             "schema": {"type": "string", "enum": ["text", "ansi", "json"], "default": "text"},
             "description": "Lines of text, a repaint with escape sequences, or a document."
            }
           ],
           "responses": {
            "200": {
             "description": "The screen. `text` and `ansi` carry the sequence number in `x-rookery-seq`.",
             "content": {
              "text/plain": {"schema": {"type": "string"}},
              "application/json": {"schema": {"$ref": "#/components/schemas/Screen"}}
             }
            },
            "409": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/idle": {
          "get": {
           "operationId": "getIdle",
           "summary": "Every activity signal, the rule, and when the session will be parked",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": \#(answer(of: "Idle", "The report.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/stats": {
          "get": {
           "operationId": "getStats",
           "summary": "What the session uses now",
           "tags": ["sessions"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": \#(answer(of: "Stats", "Bytes and seconds; what this box cannot tell is left out.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/terminal": {
          "get": {
           "operationId": "terminal",
           "summary": "The terminal, as a WebSocket",
           "tags": ["terminal"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "wake",
             "in": "query",
             "required": false,
             "schema": {"type": "boolean", "default": false},
             "description": "Start a parked session."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Binary frames are terminal bytes, text frames control messages, both ways. Closed with code 4401 when what let the client in is revoked or has ended."},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         }
        }
        """#
}
