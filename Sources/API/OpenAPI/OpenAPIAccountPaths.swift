extension OpenAPIDocument {
    /// Tenants and users.
    static let accountPaths = #"""
        {
         "/v1/tenants": {
          "get": {
           "operationId": "listTenants",
           "summary": "List tenants",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one: the caller's own; an operator's: all.",
           "responses": {
            "200": \#(page(of: "Account", "All of them.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "createTenant",
           "summary": "Make a tenant",
           "tags": ["access"],
           "description": "For operators.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["name"],
               "additionalProperties": false,
               "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 128}}
              }
             }
            }
           },
           "responses": {
            "201": \#(answer(of: "Account", "It is there.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/users": {
          "get": {
           "operationId": "listUsers",
           "summary": "List users",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one: those of the caller's tenant; an operator's: of all.",
           "parameters": [
            {"name": "tenant", "in": "query", "required": false, "schema": {"type": "string"}}
           ],
           "responses": {
            "200": \#(page(of: "Account", "All of them.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "post": {
           "operationId": "createUser",
           "summary": "Make a user",
           "tags": ["access"],
           "description": "Needs the role admin or a higher one. Another tenant than the caller's is an operator's to name. Users do nothing by themselves: make a token for one.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["name"],
               "additionalProperties": false,
               "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 128}, "tenant": {"type": "string", "maxLength": 128}}
              }
             }
            }
           },
           "responses": {
            "201": \#(answer(of: "Account", "It is there.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         }
        }
        """#

    static let accountSchemas = #"""
        {
         "Account": {
          "type": "object",
          "description": "A tenant, or a user and its tenant.",
          "required": ["name", "created_at"],
          "properties": {
           "name": {"type": "string"},
           "tenant": {"type": "string", "description": "Of a user."},
           "created_at": {"type": "string", "format": "date-time"}
          }
         }
        }
        """#
}
