extension OpenAPIDocument {
    /// Paths of the secrets for tools.
    static let secretPaths = #"""
        {
         "/v1/secrets": {
          "get": {
           "operationId": "listSecrets",
           "summary": "List the secrets that are added to requests of tools",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one: the tenant's; an operator's: all.",
           "responses": {
            "200": \#(page(of: "ToolSecret", "Never the values.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "put": {
           "operationId": "setSecret",
           "summary": "Set or rotate a secret of a tenant or of one of its users",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one. It counts from the next request, and is never shown again. Where it may be sent changes only together with the value.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["name", "value"],
               "additionalProperties": false,
               "properties": {
                "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$", "description": "By which policies name it."},
                "hosts": {
                 "type": "array", "minItems": 1, "maxItems": 32, "items": {"type": "string", "maxLength": 254},
                 "description": "The only ones that it is sent to, of those that a policy names it for. Left out: those that it has."
                },
                "value": {"type": "string", "minLength": 1, "maxLength": 8192, "description": "The header's whole value: printable ASCII on one line."},
                "tenant": {"type": "string", "description": "The caller's own without; another's is an operator's to name."},
                "user": {"type": "string", "description": "For sessions of this user alone, before the tenant's."}
               }
              }
             }
            }
           },
           "responses": {
            "200": \#(answer(of: "ToolSecret", "Without the value.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/secrets/{id}": {
          "delete": {
           "operationId": "deleteSecret",
           "summary": "Remove a secret, at once",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one.",
           "responses": {
            "204": {"description": "It is no longer sent."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}, "description": "Its number."}
          ]
         }
        }
        """#

    static let secretSchemas = #"""
        {
         "ToolSecret": {
          "type": "object",
          "required": ["id", "tenant", "name", "hosts", "version", "updated_at", "updated_by"],
          "properties": {
           "id": {"type": "integer"},
           "tenant": {"type": "string"},
           "user": {"type": "string", "description": "Left out: the whole tenant's."},
           "name": {"type": "string"},
           "hosts": {"type": "array", "items": {"type": "string"}},
           "version": {"type": "integer"},
           "updated_at": {"type": "string", "format": "date-time"},
           "updated_by": {"type": "string"}
          }
         }
        }
        """#
}
