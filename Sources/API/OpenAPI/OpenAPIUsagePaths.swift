extension OpenAPIDocument {
    /// Paths of what was used.
    static let usagePaths = #"""
        {
         "/v1/usage": {
          "get": {
           "operationId": "usage",
           "summary": "Tokens and USD of the sessions the caller may see",
           "tags": ["usage"],
           "description": "Needs the role viewer or a higher one. Sessions that are gone count too. The counts are the model API's own; USD follow the server's price list.",
           "parameters": [
            {"name": "since", "in": "query", "required": false, "schema": {"type": "string", "format": "date"}, "description": "The first day, in UTC."},
            {"name": "until", "in": "query", "required": false, "schema": {"type": "string", "format": "date"}, "description": "The last day, in UTC."},
            {"name": "session_id", "in": "query", "required": false, "schema": {"type": "string", "format": "uuid"}},
            {"name": "group_by", "in": "query", "required": false, "schema": {"type": "string"}, "description": "Some of day, tenant, user, session, model, with commas between. Without it there is one row for all."}
           ],
           "responses": {
            "200": {
             "description": "One row for each combination, at most 10,000.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {
                 "items": {"type": "array", "items": {"$ref": "#/components/schemas/Usage"}},
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
         "/v1/sessions/{id}/usage": {
          "get": {
           "operationId": "sessionUsage",
           "summary": "Tokens and USD of one session, by model",
           "tags": ["usage"],
           "description": "Needs the role viewer or a higher one.",
           "responses": {
            "200": {
             "description": "Since the session was made.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["total", "models"],
                "properties": {
                 "total": {"$ref": "#/components/schemas/Usage"},
                 "models": {"type": "array", "items": {"$ref": "#/components/schemas/Usage"}}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/requests": {
          "get": {
           "operationId": "sessionRequests",
           "summary": "The session's requests to the model API, newest first",
           "tags": ["usage"],
           "description": "Needs the role viewer or a higher one. Without bodies. Kept for 30 days, and 10,000 for a session.",
           "parameters": [
            {"name": "limit", "in": "query", "required": false, "schema": {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}},
            {"name": "cursor", "in": "query", "required": false, "schema": {"type": "string"}, "description": "`next_cursor` of the page before."}
           ],
           "responses": {
            "200": {
             "description": "One page.",
             "content": {
              "application/json": {
               "schema": {
                "type": "object",
                "required": ["items"],
                "properties": {
                 "items": {"type": "array", "items": {"$ref": "#/components/schemas/ModelRequest"}},
                 "next_cursor": {"type": ["string", "null"]}
                }
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         },
         "/v1/sessions/{id}/requests/{request}": {
          "get": {
           "operationId": "sessionRequest",
           "summary": "One of them, with its bodies where the session's policy keeps them",
           "tags": ["usage"],
           "description": "Needs the role viewer or a higher one. `request_body` and `response_body` are there where the policy's `request_bodies` says so: their beginnings, of the newest 100 requests, until the session is deleted.",
           "responses": {
            "200": {
             "description": "The request.",
             "content": {
              "application/json": {
               "schema": {
                "allOf": [
                 {"$ref": "#/components/schemas/ModelRequest"},
                 {
                  "type": "object",
                  "properties": {
                   "request_body": {"$ref": "#/components/schemas/KeptBody"},
                   "response_body": {"$ref": "#/components/schemas/KeptBody"}
                  }
                 }
                ]
               }
              }
             }
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [
           {"$ref": "#/components/parameters/SessionID"},
           {"name": "request", "in": "path", "required": true, "schema": {"type": "string", "format": "uuid"}}
          ]
         },
         "/metrics": {
          "get": {
           "operationId": "metrics",
           "summary": "Counters for Prometheus",
           "tags": ["service"],
           "description": "Needs the role operator: tenants' names are in it.",
           "responses": {
            "200": {
             "description": "Exposition format 0.0.4.",
             "content": {"text/plain": {"schema": {"type": "string"}}}
            },
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         }
        }
        """#

    /// Their schemas.
    static let usageSchemas = #"""
        {
         "KeptBody": {
          "type": "object",
          "description": "The beginning of a body: `text` where it is UTF-8, else `base64`.",
          "required": ["bytes", "truncated"],
          "properties": {
           "bytes": {"type": "integer", "description": "Of the whole."},
           "truncated": {"type": "boolean"},
           "text": {"type": "string"},
           "base64": {"type": "string"}
          }
         },
         "Usage": {
          "type": "object",
          "description": "Keys that were not asked for are left out.",
          "required": ["requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd"],
          "properties": {
           "day": {"type": "string", "format": "date"},
           "tenant": {"type": "string"},
           "user": {"type": "string"},
           "session_id": {"type": "string", "format": "uuid"},
           "model": {"type": "string"},
           "requests": {"type": "integer", "description": "Messages that the model API answered, errors included."},
           "input_tokens": {"type": "integer"},
           "output_tokens": {"type": "integer"},
           "cache_read_tokens": {"type": "integer"},
           "cache_write_tokens": {"type": "integer"},
           "cost_usd": {"type": "number"}
          }
         },
         "Credential": {
          "type": "object",
          "required": ["id", "tenant", "kind", "version", "updated_at", "updated_by"],
          "properties": {
           "id": {"type": "integer"},
           "tenant": {"type": "string"},
           "user": {"type": "string", "description": "Left out: the whole tenant's."},
           "kind": {"type": "string", "enum": ["api_key", "bearer", "oauth", "gateway"]},
           "version": {"type": "integer"},
           "expires_at": {"type": "string", "format": "date-time"},
           "fault": {"type": "string", "description": "Why it does not work."},
           "updated_at": {"type": "string", "format": "date-time"},
           "updated_by": {"type": "string"}
          }
         },
         "ModelRequest": {
          "type": "object",
          "required": ["id", "method", "path", "outcome", "started_at", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd"],
          "properties": {
           "id": {"type": "string", "format": "uuid"},
           "method": {"type": "string"},
           "path": {"type": "string"},
           "outcome": {
            "type": "string",
            "enum": ["open", "complete", "cut", "refused", "unanswered", "interrupted"],
            "description": "`cut`: the answer broke off, and counts with what it had said; `refused`: the gateway's own answer; `interrupted`: the supervisor ended in the middle of it."
           },
           "model": {"type": "string"},
           "status": {"type": "integer"},
           "request_id": {"type": "string", "description": "The model API's own name for it. What comes twice under one name counts once."},
           "input_tokens": {"type": "integer"},
           "output_tokens": {"type": "integer"},
           "cache_read_tokens": {"type": "integer"},
           "cache_write_tokens": {"type": "integer"},
           "cost_usd": {"type": "number"},
           "started_at": {"type": "string", "format": "date-time"},
           "first_byte_at": {"type": "string", "format": "date-time"},
           "ended_at": {"type": "string", "format": "date-time"}
          }
         }
        }
        """#
}
