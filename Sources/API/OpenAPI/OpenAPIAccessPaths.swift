extension OpenAPIDocument {
    /// Paths of logins, tickets and tokens.
    static let accessPaths = #"""
        {
         "/v1/auth/login": {
          "post": {
           "operationId": "logIn",
           "summary": "Exchange a token for a cookie",
           "tags": ["access"],
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["token"],
               "additionalProperties": false,
               "properties": {"token": {"type": "string"}}
              }
             }
            }
           },
           "responses": {
            "200": {
             "description": "Logged in; the cookie is HttpOnly and SameSite=Strict.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["name", "role"],
                "properties": {
                 "name": {"type": "string"},
                 "role": {"$ref": "#/components/schemas/Role"},
                 "expires_at": {"type": "string", "format": "date-time"}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           },
           "security": []
          }
         },
         "/v1/auth/logout": {
          "post": {
           "operationId": "logOut",
           "summary": "End the login of the cookie",
           "tags": ["access"],
           "responses": {"204": {"description": "Logged out."}, "default": {"$ref": "#/components/responses/Problem"}},
           "security": []
          }
         },
         "/v1/me": {
          "get": {
           "operationId": "whoAmI",
           "summary": "Who the caller is, and what that is worth",
           "tags": ["access"],
           "description": "Needs the role viewer or a higher one. A share link may ask too.",
           "responses": {
            "200": {
             "description": "The caller.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["name", "role", "access", "share"],
                "properties": {
                 "name": {"type": "string"},
                 "role": {"$ref": "#/components/schemas/Role"},
                 "access": {
                  "type": "string", "enum": ["view", "approve", "drive"],
                  "description": "What the caller may do with a session that it sees."
                 },
                 "share": {
                  "type": ["object", "null"],
                  "description": "The share link through which it came.",
                  "required": ["id", "session_id", "role", "expires_at"],
                  "properties": {
                   "id": {"type": "string"},
                   "session_id": {"type": "string", "format": "uuid"},
                   "role": {"type": "string", "enum": ["view", "approve", "drive"]},
                   "expires_at": {"type": "string", "format": "date-time"}
                  }
                 }
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/tickets": {
          "post": {
           "operationId": "createTicket",
           "summary": "Get a ticket for one WebSocket or event stream",
           "tags": ["access"],
           "description": "Needs the role viewer or a higher one.",
           "requestBody": {
            "required": false,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "additionalProperties": false,
               "properties": {
                "session_id": {"type": "string", "format": "uuid", "description": "The only session it is good for."}
               }
              }
             }
            }
           },
           "responses": {
            "201": {
             "description": "Good once, for 30 s.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["ticket", "expires_at"],
                "properties": {
                 "ticket": {"type": "string"},
                 "session_id": {"type": "string", "format": "uuid"},
                 "expires_at": {"type": "string", "format": "date-time"}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/tokens": {
          "get": {
           "operationId": "listTokens",
           "summary": "List the tokens of the tenant",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one.",
           "responses": {
            "200": \#(page(of: "Token", "Never the secrets.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "createToken",
           "summary": "Make a token for a user, the caller's own where none is named",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["role"],
               "additionalProperties": false,
               "properties": {
                "name": {"type": "string", "maxLength": 128},
                "role": {"$ref": "#/components/schemas/Role"},
                "user": {"type": "string", "maxLength": 128},
                "tenant": {"type": "string", "maxLength": 128, "description": "The user's; the caller's own where it is left out. Another is an operator's to name."}
               }
              }
             }
            }
           },
           "responses": {
            "201": \#(answer(of: "Token", "`token` is shown this once.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/credentials": {
          "get": {
           "operationId": "listCredentials",
           "summary": "List the credentials for the model API",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one: the tenant's; an operator's: all.",
           "responses": {
            "200": {
             "description": "Never the secrets.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {
                 "items": {"type": "array", "items": {"$ref": "#/components/schemas/Credential"}},
                 "next_cursor": {"type": ["string", "null"]}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "put": {
           "operationId": "setCredential",
           "summary": "Set or rotate the credential of a tenant or of one of its users",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one. It counts from the next request, and is never shown again.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["kind"],
               "additionalProperties": false,
               "properties": {
                "kind": {"type": "string", "enum": ["api_key", "bearer", "oauth", "gateway"]},
                "tenant": {"type": "string", "description": "The caller's own without; another's is an operator's to name."},
                "user": {"type": "string", "description": "For this user alone."},
                "upstream": {"type": "string", "description": "Where its requests go, in place of --model-upstream."},
                "api_key": {"type": "string"},
                "token": {"type": "string", "description": "Of bearer and oauth."},
                "refresh_token": {"type": "string"},
                "token_url": {"type": "string", "format": "uri", "description": "Where tokens are refreshed."},
                "token_form": {"type": "string", "enum": ["form", "json"], "default": "form"},
                "client_id": {"type": "string"},
                "expires_at": {"type": "string", "format": "date-time"},
                "headers": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Of gateway."}
               }
              }
             }
            }
           },
           "responses": {
            "200": \#(answer(of: "Credential", "Without the secret.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/credentials/{id}": {
          "delete": {
           "operationId": "deleteCredential",
           "summary": "Remove a credential, at once",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one.",
           "responses": {
            "204": {"description": "It is no longer used."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}, "description": "Its number."}
          ]
         },
         "/v1/tokens/{id}": {
          "delete": {
           "operationId": "deleteToken",
           "summary": "Revoke a token, at once",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one.",
           "responses": {
            "204": {"description": "It no longer works, nor do the share links that were made with it."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {
            "name": "id",
            "in": "path",
            "required": true,
            "schema": {"type": "string"},
            "description": "The public id."
           }
          ]
         }
        }
        """#
}
