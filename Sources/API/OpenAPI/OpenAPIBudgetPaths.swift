extension OpenAPIDocument {
    /// Paths of what may be spent.
    static let budgetPaths = #"""
        {
         "/v1/budgets": {
          "get": {
           "operationId": "listBudgets",
           "summary": "List budgets, each with what is used of it",
           "tags": ["usage"],
           "description": "Needs the role admin or a higher one: the tenant's; an operator's: all.",
           "responses": {
            "200": {
             "description": "All of them.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {
                 "items": {"type": "array", "items": {"$ref": "#/components/schemas/Budget"}},
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
           "operationId": "setBudget",
           "summary": "Say what a session, a user or a tenant may spend in a day or a month",
           "tags": ["usage"],
           "description": "Needs the role admin or a higher one. It counts from the next request. At 80 % running sessions get a `budget.warning`; when it is used up, turns that run may finish, then their sessions are parked with the reason `budget`, and new requests are refused with the model API's own `billing_error` (402). A budget that an operator set only an operator changes.",
           "requestBody": {
            "required": true,
            "content": {
             "application/json": {
              "schema": {
               "type": "object",
               "required": ["period", "limit_usd"],
               "additionalProperties": false,
               "properties": {
                "tenant": {"type": "string", "description": "The caller's own without; another's is an operator's to name."},
                "user": {"type": "string", "description": "For this user alone."},
                "session_id": {"type": "string", "format": "uuid", "description": "For this session alone; without tenant and user."},
                "period": {"type": "string", "enum": ["day", "month"], "description": "Of UTC."},
                "limit_usd": {"type": "number", "minimum": 0, "maximum": 1000000}
               }
              }
             }
            }
           },
           "responses": {
            "200": \#(answer(of: "Budget", "The budget as it stands.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         },
         "/v1/budgets/{id}": {
          "delete": {
           "operationId": "deleteBudget",
           "summary": "Remove a budget",
           "tags": ["usage"],
           "description": "Needs the role admin or a higher one.",
           "responses": {
            "204": {"description": "It holds no longer."},
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}, "description": "Its number."}
          ]
         }
        }
        """#

    /// Schemas of what may be spent.
    static let budgetSchemas = #"""
        {
         "Budget": {
          "type": "object",
          "required": ["id", "tenant", "period", "current", "ends_at", "limit_usd", "spent_usd", "state"],
          "properties": {
           "id": {"type": "integer"},
           "tenant": {"type": "string"},
           "user": {"type": ["string", "null"]},
           "session_id": {"type": ["string", "null"], "format": "uuid"},
           "period": {"type": "string", "enum": ["day", "month"]},
           "current": {"type": "string", "description": "The period that runs: 2026-11-25, or 2026-11."},
           "ends_at": {"type": "string", "format": "date-time"},
           "limit_usd": {"type": "number"},
           "spent_usd": {"type": "number"},
           "state": {"type": "string", "enum": ["ok", "warning", "reached"]},
           "operators": {"type": "boolean", "description": "Only an operator changes it."},
           "updated_at": {"type": "string", "format": "date-time"},
           "updated_by": {"type": "string"}
          }
         }
        }
        """#
}
