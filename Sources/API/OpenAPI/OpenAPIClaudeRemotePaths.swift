extension OpenAPIDocument {
    /// Paths of claude-remote, and of the devices that dial in with it.
    static let claudeRemotePaths = #"""
        {
         "/events": {
          "get": {
           "operationId": "remoteEvents",
           "summary": "What remote sessions do",
           "tags": ["claude-remote"],
           "description": "Needs the role viewer or a higher one.",
           "parameters": [
            {
             "name": "since",
             "in": "query",
             "required": false,
             "schema": {"type": "integer"},
             "description": "As Last-Event-ID."
            },
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
          }
         },
         "/api/sessions/{id}/prompts": {
          "post": {
           "operationId": "remotePrompt",
           "summary": "Note a question of a remote session",
           "tags": ["claude-remote"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["prompt_text"],
               "properties": {
                "prompt_text": {"type": "string"},
                "keys": {"type": "string", "enum": ["y/n"]},
                "approve": {"type": "string"},
                "reject": {"type": "string"}
               }
              }
             }
            }
           },
           "responses": {
            "201": {"description": "The prompt.", "content": {"application/json": {"schema": {"type": "object"}}}},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "description": "The row's number."
           }
          ]
         },
         "/api/prompts/{id}/approve": {
          "post": {
           "operationId": "remoteApprove",
           "summary": "Approve what a session asks, remote or here",
           "tags": ["claude-remote"],
           "description": "Needs the role approver or a higher one. 409 with the answer that was first, 410 when the session is not connected.",
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
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
            "schema": {"type": "string", "maxLength": 128},
            "description": "The prompt's number, or the id of a permission that a session here asks for."
           }
          ]
         },
         "/api/prompts/{id}/reject": {
          "post": {
           "operationId": "remoteReject",
           "summary": "Reject what a session asks, remote or here",
           "tags": ["claude-remote"],
           "description": "Needs the role approver or a higher one. 409 with the answer that was first, 410 when the session is not connected.",
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
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
            "schema": {"type": "string", "maxLength": 128},
            "description": "The prompt's number, or the id of a permission that a session here asks for."
           }
          ]
         },
         "/api/prompts/{id}/answer": {
          "post": {
           "operationId": "remoteAnswer",
           "summary": "Answer what a session asks, remote or here",
           "tags": ["claude-remote"],
           "description": "Needs the role approver or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["value"],
               "properties": {
                "type": {"type": "string", "enum": ["option", "text", "tab_instructions"]},
                "value": {"type": "string"}
               }
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "`ok` and the prompt.",
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
            "schema": {"type": "string", "maxLength": 128},
            "description": "The prompt's number, or the id of a permission that a session here asks for."
           }
          ]
         },
         "/v1/devices": {
          "get": {
           "operationId": "listDevices",
           "summary": "Devices that may dial in",
           "tags": ["devices"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "`items`, without secrets.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "pairDevice",
           "summary": "Get a code that enrols one device",
           "tags": ["devices"],
           "description": "Needs the role user or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["name"],
               "properties": {"name": {"type": "string", "maxLength": 100}}
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "`code`, good once and for ten minutes.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/devices/enrol": {
          "post": {
           "operationId": "enrolDevice",
           "summary": "Exchange a code for a device's secret",
           "tags": ["devices"],
           "description": "Anybody may call it.",
           "security": [],
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {"schema": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}}}
            }
           },
           "responses": {
            "201": {
             "description": "`id`, `name` and `secret` (base64), shown this once.",
             "content": {"application/json": {"schema": {"type": "object"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/devices/{id}": {
          "delete": {
           "operationId": "deleteDevice",
           "summary": "Remove a device with all that it showed",
           "tags": ["devices"],
           "description": "Needs the role user or a higher one.",
           "responses": {
            "204": {"description": "It is gone."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
            "description": "The row's number."
           }
          ]
         }
        }
        """#
}
