extension OpenAPIDocument {
    /// Paths of commands for a session's program, and of the permissions that it asks for.
    static let commandPaths = #"""
        {
         "/v1/sessions/{id}/commands": {
          "post": {
           "operationId": "giveCommand",
           "summary": "Give the session's program a command",
           "tags": ["commands"],
           "description": "Needs the role that the command needs. The same objects as on the stream; Docs/protocols/stream.md lists them. A prompt wakes a parked session.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["type"],
               "properties": {
                "type": {
                 "type": "string",
                 "enum": [
                  "prompt", "withdraw", "interrupt", "answer", "set_model", "set_permission_mode", "rename",
                  "mcp_status", "mcp_toggle", "mcp_reconnect", "stop_task", "permissions", "state"
                 ]
                },
                "text": {"type": "string", "maxLength": 262144},
                "client_id": {"type": "string", "maxLength": 128},
                "channel": {
                 "type": "object",
                 "required": ["chat_id"],
                 "properties": {
                  "chat_id": {"type": "string", "maxLength": 1024},
                  "user": {"type": "string", "maxLength": 1024},
                  "ts": {"type": "string", "maxLength": 256}
                 }
                },
                "images": {
                 "type": "array",
                 "maxItems": 20,
                 "items": {
                  "type": "object",
                  "required": ["media_type", "data"],
                  "properties": {
                   "media_type": {"type": "string", "enum": ["image/png", "image/jpeg", "image/gif", "image/webp"]},
                   "data": {"type": "string", "contentEncoding": "base64"}
                  }
                 }
                }
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "What the command gives.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "504": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/stream": {
          "get": {
           "operationId": "stream",
           "summary": "Events and commands, as a WebSocket",
           "tags": ["commands"],
           "description": "Needs the role viewer or a higher one. Docs/protocols/stream.md describes the messages.",
           "parameters": [
            {
             "name": "since",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 0},
             "description": "Replay what came after this number."
            },
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
            "101": {"description": "Text frames, one JSON object each: the state, then events; commands the other way, with an answer each."},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/switch": {
          "post": {
           "operationId": "switchKind",
           "summary": "Go on with the session in another kind",
           "tags": ["sessions"],
           "description": "Needs the role user or a higher one. Only while the session is idle: its processes are ended and started again with the same conversation.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["kind"],
               "additionalProperties": false,
               "properties": {"kind": {"type": "string", "enum": ["terminal", "structured"]}}
              }
             }
            }
           },
           "responses": {
            "200": \#(answer(of: "Session", "The session, in that kind.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/permissions": {
          "get": {
           "operationId": "listSessionPermissions",
           "summary": "The permissions that the session asks for",
           "tags": ["permissions"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": \#(answer(of: "PermissionList", "Those that are open, the oldest first.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/permissions/{pid}": {
          "post": {
           "operationId": "answerPermission",
           "summary": "Answer a permission",
           "tags": ["permissions"],
           "description": "Needs the role approver or a higher one. The first answer counts; a later one gets 409 with `by`, `decision`, `via` and `time` of the first.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["decision"],
               "properties": {
                "decision": {"type": "string", "enum": ["allow", "deny"]},
                "message": {"type": "string", "maxLength": 16384, "description": "For the model, with a deny."},
                "updated_input": {"type": "object", "description": "The tool's input in place of what was asked."},
                "answers": {"type": "object", "additionalProperties": {"type": "string"}},
                "remember": {"type": "string", "enum": ["session", "tenant"]},
                "interrupt": {"type": "boolean", "description": "With a deny: the turn ends too."}
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "It is the answer.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "409": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"$ref": "#/components/parameters/SessionID"},
           {"name": "pid", "in": "path", "required": true, "schema": {"type": "string"}}
          ]
         },
         "/v1/permissions": {
          "get": {
           "operationId": "listPermissions",
           "summary": "Every permission that the caller may answer",
           "tags": ["permissions"],
           "description": "Needs the role viewer or a higher one; for a viewer it is empty.",
           "responses": {
            "200": \#(answer(of: "PermissionList", "Those that are open in all sessions, the oldest first, with `session_id`, `session_name` and `owner`.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/audit": {
          "get": {
           "operationId": "listAudit",
           "summary": "Who decided what",
           "tags": ["permissions"],
           "description": "Needs the role admin or a higher one. The newest first; each entry's hash covers the one before.",
           "parameters": [
            {"name": "limit", "in": "query", "required": false, "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
            {"name": "cursor", "in": "query", "required": false, "schema": {"type": "string"}}
           ],
           "responses": {
            "200": {
             "description": "A page.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items", "next_cursor"],
                "properties": {
                 "items": {
                  "type": "array",
                  "items": {
                   "type": "object",
                   "required": ["id", "time", "actor", "action", "session_id", "detail", "hash"],
                   "properties": {
                    "id": {"type": "integer"},
                    "time": {"type": "string", "format": "date-time"},
                    "actor": {"type": "string"},
                    "action": {"type": "string"},
                    "session_id": {"type": ["string", "null"]},
                    "detail": {"type": "object"},
                    "hash": {"type": "string"}
                   }
                  }
                 },
                 "next_cursor": {"type": ["string", "null"]}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         }
        }
        """#
}
