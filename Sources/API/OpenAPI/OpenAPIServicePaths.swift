extension OpenAPIDocument {
    /// Paths of the service itself and of echokit's protocol.
    static let servicePaths = #"""
        {
         "/v1/policies": {
          "get": {
           "operationId": "policies",
           "summary": "The policies that a session can be made under",
           "tags": ["policies"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "All, by name.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {
                 "items": {"type": "array", "items": {"$ref": "#/components/schemas/Policy"}},
                 "next_cursor": {"type": ["string", "null"]}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/policies/{name}": {
          "get": {
           "operationId": "policy",
           "summary": "One policy, with every key",
           "tags": ["policies"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": \#(answer(of: "Policy", "It.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"name": "name", "in": "path", "required": true, "schema": {"type": "string"}, "description": "The policy's name."}
          ]
         },
         "/v1/events": {
          "get": {
           "operationId": "events",
           "summary": "Live events of every session the caller may see",
           "tags": ["events"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "200": \#(eventStream),
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          }
         },
         "/v1/images": {
          "get": {
           "operationId": "listImages",
           "summary": "The images that sessions can be made of",
           "tags": ["service"],
           "description": "Needs the role viewer or a higher one. `host` is always there; its other members are left out.",
           "responses": {
            "200": {
             "description": "All of them.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Image"}}}
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/healthz": {
          "get": {
           "operationId": "health",
           "summary": "Whether the server answers",
           "tags": ["service"],
           "responses": {
            "200": \#(answer(of: "Health", "It does.")),
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": []
          }
         },
         "/readyz": {
          "get": {
           "operationId": "readiness",
           "summary": "Whether the service can take work",
           "tags": ["service"],
           "responses": {
            "200": \#(answer(of: "Readiness", "It can.")),
            "503": \#(answer(of: "Readiness", "It cannot; `checks` says why.")),
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": []
          }
         },
         "/v1/recovery": {
          "get": {
           "operationId": "recovery",
           "summary": "What became of the sessions that the supervisor found when it started",
           "tags": ["service"],
           "responses": {
            "200": \#(answer(of: "Recovery", "Each session with its outcome and the reason.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/upgrade": {
          "get": {
           "operationId": "upgradeReport",
           "summary": "Which release runs, how the last upgrade went, and what becomes of each session's worker",
           "tags": ["service"],
           "responses": {
            "200": \#(answer(of: "Upgrade", "For operators.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "upgrade",
           "summary": "Put the installed release in place of the one that runs",
           "tags": ["service"],
           "requestBody": {
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "additionalProperties": false,
               "properties": {
                "workers": {"type": "string", "enum": ["now", "idle", "never"], "default": "idle"},
                "supervisor": {
                 "type": "boolean",
                 "default": true,
                 "description": "false: workers alone."
                }
               }
              }
             }
            }
           },
           "responses": {
            "202": \#(answer(of: "Upgrade", "The next supervisor is ready and takes over in a moment: `instance` is then another.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/openapi.json": {
          "get": {
           "operationId": "openapi",
           "summary": "This document",
           "tags": ["service"],
           "responses": {
            "200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": []
          }
         },
         "/": {
          "get": {
           "operationId": "page",
           "summary": "The page, or the server's health for callers that do not want HTML",
           "tags": ["service"],
           "responses": {
            "200": {
             "description": "By `Accept`.",
             "content": {
              "text/html": {"schema": {"type": "string"}},
              "application/json": {"schema": {"$ref": "#/components/schemas/Health"}}
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{}, {"bearer": []}, {"login": []}]
          }
         },
         "/api/{id}/input": {
          "post": {
           "operationId": "echokitInput",
           "summary": "Echokit's protocol by REST: one message in, the answer out",
           "tags": ["echokit"],
           "description": "Needs the role user or a higher one.",
           "parameters": [
            {
             "name": "compat",
             "in": "query",
             "required": false,
             "schema": {"type": "string", "enum": ["echokit-head"]},
             "description": "`echokit-head` spells error codes as echokit's head does."
            }
           ],
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {"schema": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}}
            }
           },
           "responses": {
            "200": {
             "description": "The answer; failures too, as `session_error`.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {"type": "string"},
            "description": "A UUID; an unknown one makes a session."
           }
          ]
         },
         "/ws/{id}": {
          "get": {
           "operationId": "echokitSocket",
           "summary": "Echokit's protocol, as a WebSocket",
           "tags": ["echokit"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "compat",
             "in": "query",
             "required": false,
             "schema": {"type": "string", "enum": ["echokit-head"]},
             "description": "`echokit-head` spells error codes as echokit's head does."
            },
            {"$ref": "#/components/parameters/Ticket"}
           ],
           "responses": {
            "101": {"description": "Messages as echokit sends and takes them."},
            "426": {"$ref": "#/components/responses/Problem"},
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": [{"bearer": []}, {"login": []}, {"ticket": []}]
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {"type": "string"},
            "description": "A UUID; the first message for an unknown one makes a session."
           }
          ]
         }
        }
        """#
}
