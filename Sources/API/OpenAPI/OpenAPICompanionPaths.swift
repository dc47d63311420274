extension OpenAPIDocument {
    /// Paths of Companion: its browsers' socket and its REST of sessions.
    static let companionPaths = #"""
        {
         "/api/sessions": {
          "get": {
           "operationId": "companionSessions",
           "summary": "Companion's and claude-remote's lists of sessions, in one",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "Entries with the keys of both.",
             "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/api/sessions/create": {
          "post": {
           "operationId": "companionCreate",
           "summary": "Make a session",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one. What belongs to a machine of one's own (binaries, containers, worktrees) is the policy's here and ignored.",
           "requestBody": {
            "required": false,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "properties": {
                "model": {"type": "string"},
                "permissionMode": {"type": "string"},
                "env": {"type": "object", "additionalProperties": {"type": "string"}}
               }
              }
             }
            }
           },
           "responses": {
            "201": {"description": "The session.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/api/sessions/{id}": {
          "get": {
           "operationId": "companionSession",
           "summary": "One session",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {"description": "The session.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "delete": {
           "operationId": "companionDelete",
           "summary": "Remove a session",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/sessions/{id}/kill": {
          "post": {
           "operationId": "companionKill",
           "summary": "Stop it",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/sessions/{id}/relaunch": {
          "post": {
           "operationId": "companionRelaunch",
           "summary": "Start it again",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/sessions/{id}/archive": {
          "post": {
           "operationId": "companionArchive",
           "summary": "Stop it and mark it as archived",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/sessions/{id}/unarchive": {
          "post": {
           "operationId": "companionUnarchive",
           "summary": "Take that mark away",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {"description": "`ok`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/sessions/{id}/name": {
          "patch": {
           "operationId": "companionName",
           "summary": "Name it",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["name"],
               "properties": {"name": {"type": "string", "maxLength": 200}}
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok` and the name.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/api/claude/sessions/discover": {
          "get": {
           "operationId": "companionDiscover",
           "summary": "Sessions that can be resumed",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1, "maximum": 200},
             "description": "At most so many."
            }
           ],
           "responses": {
            "200": {"description": "`sessions`.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/api/claude/sessions/{id}/history": {
          "get": {
           "operationId": "companionHistory",
           "summary": "A session's conversation",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {"type": "integer", "minimum": 1, "maximum": 500},
             "description": "At most so many events."
            },
            {
             "name": "cursor",
             "in": "query",
             "required": false,
             "schema": {"type": "integer"},
             "description": "`nextCursor` of the page before."
            }
           ],
           "responses": {
            "200": {
             "description": "`messages` and `nextCursor`.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/ws/cli/{id}": {
          "get": {
           "operationId": "programSocket",
           "summary": "A program on stream-json that runs elsewhere, as a WebSocket",
           "tags": ["companion"],
           "description": "Needs the role user or a higher one, or with `wrap` a device. Its lines are NDJSON.",
           "parameters": [
            {
             "name": "wrap",
             "in": "query",
             "required": false,
             "schema": {"type": "boolean"},
             "description": "The program's side numbers its lines, and its first message is `auth`."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Switches to the protocol."},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/ws/terminal/{id}": {
          "get": {
           "operationId": "companionTerminal",
           "summary": "A terminal session as Companion's embedded terminal, as a WebSocket",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one. Binary frames are the terminal's bytes; text frames are `input {data}` and `resize {cols, rows}` from the browser, `exit {exitCode}` and `error {message}` to it.",
           "parameters": [
            {
             "name": "wake",
             "in": "query",
             "required": false,
             "schema": {"type": "boolean", "default": false},
             "description": "Start a parked session first."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Switches to the protocol."},
            "409": {"$ref": "#/components/responses/Problem"},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/ws/browser/{id}": {
          "get": {
           "operationId": "companionSocket",
           "summary": "Companion's protocol, as a WebSocket",
           "tags": ["companion"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "protocol",
             "in": "query",
             "required": false,
             "schema": {"type": "string", "enum": ["seed"]},
             "description": "`seed` for `cli_message` and `session_status`."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Switches to the protocol."},
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
