extension OpenAPIDocument {
    /// Paths of echokit: the socket that says in its first words whose it is, and speech.
    static let echokitPaths = #"""
        {
         "/ws": {
          "get": {
           "operationId": "sharedSocket",
           "summary": "A claude-remote CLI, or echokit's commands, as a WebSocket",
           "tags": ["claude-remote"],
           "description": "Needs the role viewer or a higher one. The first message decides. A claude-remote CLI needs no token: it signs its `auth`.",
           "parameters": [
            {
             "name": "id",
             "in": "query",
             "required": false,
             "schema": {"type": "string", "format": "uuid"},
             "description": "The session that commands are for; left out, a new one."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Switches to the protocol."},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          }
         },
         "/v1/audio/transcriptions": {
          "post": {
           "operationId": "transcribe",
           "summary": "Turn speech into text, by the configured server",
           "tags": ["echokit"],
           "description": "Needs the role user or a higher one. OpenAI's request and answer; 30 a minute.",
           "requestBody": {
            "required": true,
            "content": {
             "multipart/form-data": {
              "schema": {
               "type": "object",
               "properties": {
                "file": {"type": "string", "format": "binary"},
                "model": {"type": "string"},
                "language": {"type": "string"}
               }
              }
             }
            }
           },
           "responses": {
            "200": {"description": "`text`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         }
        }
        """#
}
