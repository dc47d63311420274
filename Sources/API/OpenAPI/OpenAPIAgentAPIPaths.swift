extension OpenAPIDocument {
    /// Paths of agentapi, below each session.
    static let agentAPIPaths = #"""
        {
         "/sessions/{id}/agentapi/status": {
          "get": {
           "operationId": "agentStatus",
           "summary": "Whether the agent works or waits",
           "tags": ["agentapi"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`status`: running or stable; `agent_type`, `transport`.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/sessions/{id}/agentapi/messages": {
          "get": {
           "operationId": "agentMessages",
           "summary": "The conversation",
           "tags": ["agentapi"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`messages`, oldest first.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/sessions/{id}/agentapi/message": {
          "post": {
           "operationId": "agentMessage",
           "summary": "Say something, or press keys",
           "tags": ["agentapi"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["content", "type"],
               "properties": {"content": {"type": "string"}, "type": {"type": "string", "enum": ["user", "raw"]}}
              }
             }
            }
           },
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/sessions/{id}/agentapi/upload": {
          "post": {
           "operationId": "agentUpload",
           "summary": "Give the session a file of at most 10 MiB, in its workspace",
           "tags": ["agentapi"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "multipart/form-data": {
              "schema": {
               "type": "object",
               "required": ["file"],
               "properties": {"file": {"type": "string", "format": "binary"}}
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok`, and `filePath` as the session sees it.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/sessions/{id}/agentapi/events": {
          "get": {
           "operationId": "agentEvents",
           "summary": "message_update, status_change and agent_error as they happen",
           "tags": ["agentapi"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "200": {
             "description": "Events as they happen.",
             "content": {"text/event-stream": {"schema": {"type": "string"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         }
        }
        """#
}
