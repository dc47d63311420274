extension OpenAPIDocument {
    /// Paths of share links.
    static let sharePaths = #"""
        {
         "/v1/sessions/{id}/shares": {
          "get": {
           "operationId": "listShares",
           "summary": "List the links to a session that work",
           "tags": ["access"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": \#(page(of: "Share", "Never the secrets.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "createShare",
           "summary": "Make a link that lets others into one session",
           "tags": ["access"],
           "description": "Needs the role user or a higher one. Whoever holds the link sends `Authorization: Bearer rs_…` to the session itself, its events, history, screen, transcript, WebSockets, commands and permissions, and to `/v1/me`, `/v1/permissions` and `/v1/tickets`; nothing else opens. The page opens at `path`, whose secret is in the fragment.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["role"],
               "additionalProperties": false,
               "properties": {
                "role": {
                 "type": "string", "enum": ["view", "approve", "drive"],
                 "description": "view: see it; approve: and answer its permissions; drive: and type, prompt, interrupt and wake it."
                },
                "name": {"type": "string", "maxLength": 128, "description": "Whom it is for."},
                "expires_in": {"type": "string", "default": "24h", "examples": ["8h"], "description": "1m to 30d."}
               }
              }
             }
            }
           },
           "responses": {
            "201": \#(answer(of: "Share", "`token` and `path` are shown this once.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/shares/{sid}": {
          "delete": {
           "operationId": "deleteShare",
           "summary": "Revoke a link to a session, at once",
           "tags": ["access"],
           "description": "Needs the role user or a higher one. Connections that were opened with it end within a second; WebSockets with the code 4401.",
           "responses": {
            "204": {"description": "It no longer works."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"$ref": "#/components/parameters/SessionID"},
           {"name": "sid", "in": "path", "required": true, "schema": {"type": "string"}, "description": "The public id."}
          ]
         }
        }
        """#

    /// Schemas of share links.
    static let shareSchemas = #"""
        {
         "Share": {
          "type": "object",
          "required": ["id", "session_id", "role", "created_by", "created_at", "expires_at"],
          "properties": {
           "id": {"type": "string", "description": "Public; the secret is in the link alone."},
           "session_id": {"type": "string", "format": "uuid"},
           "role": {"type": "string", "enum": ["view", "approve", "drive"]},
           "name": {"type": ["string", "null"]},
           "created_by": {"type": "string"},
           "created_at": {"type": "string", "format": "date-time"},
           "expires_at": {"type": "string", "format": "date-time"},
           "last_used_at": {"type": ["string", "null"], "format": "date-time"},
           "token": {"type": "string", "description": "Only in the answer that made it."},
           "path": {"type": "string", "description": "Of the page; only in the answer that made it."}
          }
         }
        }
        """#
}
