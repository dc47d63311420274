extension OpenAPIDocument {
    /// Paths of foreign protocols, and of devices.
    static let dialectPaths = #"""
        {
         "/sessions/{id}/agentapi/status": {
          "get": {
           "operationId": "agentStatus",
           "summary": "Whether the agent works or waits",
           "tags": [
            "agentapi"
           ],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`status`: running or stable; `agent_type`, `transport`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/sessions/{id}/agentapi/messages": {
          "get": {
           "operationId": "agentMessages",
           "summary": "The conversation",
           "tags": [
            "agentapi"
           ],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`messages`, oldest first.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/sessions/{id}/agentapi/message": {
          "post": {
           "operationId": "agentMessage",
           "summary": "Say something, or press keys",
           "tags": [
            "agentapi"
           ],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "content",
                "type"
               ],
               "properties": {
                "content": {
                 "type": "string"
                },
                "type": {
                 "type": "string",
                 "enum": [
                  "user",
                  "raw"
                 ]
                }
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/sessions/{id}/agentapi/events": {
          "get": {
           "operationId": "agentEvents",
           "summary": "message_update, status_change and agent_error as they happen",
           "tags": [
            "agentapi"
           ],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "ticket",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string"
             },
             "description": "A ticket of POST /v1/tickets, for clients that cannot send headers."
            }
           ],
           "responses": {
            "200": {
             "description": "Events as they happen.",
             "content": {
              "text/event-stream": {
               "schema": {
                "type": "string"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           },
           "security": [
            {
             "bearer": []
            },
            {
             "login": []
            },
            {
             "ticket": []
            }
           ]
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions": {
          "get": {
           "operationId": "companionSessions",
           "summary": "Companion's and claude-remote's lists of sessions, in one",
           "tags": [
            "companion"
           ],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "Entries with the keys of both.",
             "content": {
              "application/json": {
               "schema": {
                "type": "array",
                "items": {
                 "type": "object"
                }
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          }
         },
         "/api/sessions/create": {
          "post": {
           "operationId": "companionCreate",
           "summary": "Make a session",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one. What belongs to a machine of one's own (binaries, containers, worktrees) is the policy's here and ignored.",
           "requestBody": {
            "required": false,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "properties": {
                "model": {
                 "type": "string"
                },
                "permissionMode": {
                 "type": "string"
                },
                "env": {
                 "type": "object",
                 "additionalProperties": {
                  "type": "string"
                 }
                }
               }
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "The session.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          }
         },
         "/api/sessions/{id}": {
          "get": {
           "operationId": "companionSession",
           "summary": "One session",
           "tags": [
            "companion"
           ],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "The session.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "delete": {
           "operationId": "companionDelete",
           "summary": "Remove a session",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions/{id}/kill": {
          "post": {
           "operationId": "companionKill",
           "summary": "Stop it",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions/{id}/relaunch": {
          "post": {
           "operationId": "companionRelaunch",
           "summary": "Start it again",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions/{id}/archive": {
          "post": {
           "operationId": "companionArchive",
           "summary": "Stop it and mark it as archived",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions/{id}/unarchive": {
          "post": {
           "operationId": "companionUnarchive",
           "summary": "Take that mark away",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "200": {
             "description": "`ok`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/sessions/{id}/name": {
          "patch": {
           "operationId": "companionName",
           "summary": "Name it",
           "tags": [
            "companion"
           ],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "name"
               ],
               "properties": {
                "name": {
                 "type": "string",
                 "maxLength": 200
                }
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok` and the name.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/api/claude/sessions/discover": {
          "get": {
           "operationId": "companionDiscover",
           "summary": "Sessions that can be resumed",
           "tags": [
            "companion"
           ],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {
              "type": "integer",
              "minimum": 1,
              "maximum": 200
             },
             "description": "At most so many."
            }
           ],
           "responses": {
            "200": {
             "description": "`sessions`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          }
         },
         "/api/claude/sessions/{id}/history": {
          "get": {
           "operationId": "companionHistory",
           "summary": "A session's conversation",
           "tags": [
            "companion"
           ],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "limit",
             "in": "query",
             "required": false,
             "schema": {
              "type": "integer",
              "minimum": 1,
              "maximum": 500
             },
             "description": "At most so many events."
            },
            {
             "name": "cursor",
             "in": "query",
             "required": false,
             "schema": {
              "type": "integer"
             },
             "description": "`nextCursor` of the page before."
            }
           ],
           "responses": {
            "200": {
             "description": "`messages` and `nextCursor`.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/ws/browser/{id}": {
          "get": {
           "operationId": "companionSocket",
           "summary": "Companion's protocol, as a WebSocket",
           "tags": [
            "companion"
           ],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "protocol",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string",
              "enum": [
               "seed"
              ]
             },
             "description": "`seed` for `cli_message` and `session_status`."
            },
            {
             "name": "ticket",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string"
             },
             "description": "A ticket of POST /v1/tickets, for clients that cannot send headers."
            }
           ],
           "responses": {
            "101": {
             "description": "Switches to the protocol."
            },
            "426": {
             "$ref": "#/components/responses/Problem"
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           },
           "security": [
            {
             "bearer": []
            },
            {
             "login": []
            },
            {
             "ticket": []
            }
           ]
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "string",
             "format": "uuid"
            },
            "description": "The session."
           }
          ]
         },
         "/ws": {
          "get": {
           "operationId": "sharedSocket",
           "summary": "A claude-remote CLI, or echokit's commands, as a WebSocket",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role viewer or a higher one. The first message decides. A claude-remote CLI needs no token: it signs its `auth`.",
           "parameters": [
            {
             "name": "id",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string",
              "format": "uuid"
             },
             "description": "The session that commands are for; left out, a new one."
            },
            {
             "name": "ticket",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string"
             },
             "description": "A ticket of POST /v1/tickets, for clients that cannot send headers."
            }
           ],
           "responses": {
            "101": {
             "description": "Switches to the protocol."
            },
            "426": {
             "$ref": "#/components/responses/Problem"
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           },
           "security": [
            {
             "bearer": []
            },
            {
             "login": []
            },
            {
             "ticket": []
            }
           ]
          }
         },
         "/events": {
          "get": {
           "operationId": "remoteEvents",
           "summary": "What remote sessions do",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "since",
             "in": "query",
             "required": false,
             "schema": {
              "type": "integer"
             },
             "description": "As Last-Event-ID."
            },
            {
             "name": "ticket",
             "in": "query",
             "required": false,
             "schema": {
              "type": "string"
             },
             "description": "A ticket of POST /v1/tickets, for clients that cannot send headers."
            }
           ],
           "responses": {
            "200": {
             "description": "Events as they happen.",
             "content": {
              "text/event-stream": {
               "schema": {
                "type": "string"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           },
           "security": [
            {
             "bearer": []
            },
            {
             "login": []
            },
            {
             "ticket": []
            }
           ]
          }
         },
         "/api/sessions/{id}/prompts": {
          "post": {
           "operationId": "remotePrompt",
           "summary": "Note a question of a remote session",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "prompt_text"
               ],
               "properties": {
                "prompt_text": {
                 "type": "string"
                },
                "keys": {
                 "type": "string",
                 "enum": [
                  "y/n"
                 ]
                },
                "approve": {
                 "type": "string"
                },
                "reject": {
                 "type": "string"
                }
               }
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "The prompt.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "integer",
             "minimum": 1
            },
            "description": "The row's number."
           }
          ]
         },
         "/api/prompts/{id}/approve": {
          "post": {
           "operationId": "remoteApprove",
           "summary": "Approve what a remote session asks",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role approver or a higher one. 409 with the answer that was first, 410 when the session is not connected.",
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "integer",
             "minimum": 1
            },
            "description": "The row's number."
           }
          ]
         },
         "/api/prompts/{id}/reject": {
          "post": {
           "operationId": "remoteReject",
           "summary": "Reject what a remote session asks",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role approver or a higher one. 409 with the answer that was first, 410 when the session is not connected.",
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "integer",
             "minimum": 1
            },
            "description": "The row's number."
           }
          ]
         },
         "/api/prompts/{id}/answer": {
          "post": {
           "operationId": "remoteAnswer",
           "summary": "Answer what a remote session asks",
           "tags": [
            "claude-remote"
           ],
           "description": "Needs the role approver or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "value"
               ],
               "properties": {
                "type": {
                 "type": "string",
                 "enum": [
                  "option",
                  "text",
                  "tab_instructions"
                 ]
                },
                "value": {
                 "type": "string"
                }
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "integer",
             "minimum": 1
            },
            "description": "The row's number."
           }
          ]
         },
         "/v1/audio/transcriptions": {
          "post": {
           "operationId": "transcribe",
           "summary": "Turn speech into text, by the configured server",
           "tags": ["echokit"],
           "description": "Needs the role user or a higher one. OpenAI's request and answer; 30 a minute.",
           "requestBody": {
            "required": true,
            "content": {"multipart/form-data": {"schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}, "model": {"type": "string"}, "language": {"type": "string"}}}}}
           },
           "responses": {
            "200": {
             "description": "`text`.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/devices": {
          "get": {
           "operationId": "listDevices",
           "summary": "Devices that may dial in",
           "tags": [
            "devices"
           ],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`items`, without secrets.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "post": {
           "operationId": "pairDevice",
           "summary": "Get a code that enrols one device",
           "tags": [
            "devices"
           ],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "name"
               ],
               "properties": {
                "name": {
                 "type": "string",
                 "maxLength": 100
                }
               }
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "`code`, good once and for ten minutes.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          }
         },
         "/v1/devices/enrol": {
          "post": {
           "operationId": "enrolDevice",
           "summary": "Exchange a code for a device's secret",
           "tags": [
            "devices"
           ],
           "description": "Anybody may call it.",
           "security": [],
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": [
                "code"
               ],
               "properties": {
                "code": {
                 "type": "string"
                }
               }
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "`id`, `name` and `secret` (base64), shown this once.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object"
               }
              }
             }
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          }
         },
         "/v1/devices/{id}": {
          "delete": {
           "operationId": "deleteDevice",
           "summary": "Remove a device with all that it showed",
           "tags": [
            "devices"
           ],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "204": {
             "description": "It is gone."
            },
            "default": {
             "$ref": "#/components/responses/Problem"
            }
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {
             "type": "integer",
             "minimum": 1
            },
            "description": "The row's number."
           }
          ]
         }
        }
        """#
}
