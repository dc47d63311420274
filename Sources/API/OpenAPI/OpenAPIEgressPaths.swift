extension OpenAPIDocument {
    /// What sessions may reach of the world.
    static let egressPaths = #"""
        {
         "/v1/sessions/{id}/egress": {
          "get": {
           "operationId": "sessionEgress",
           "summary": "What the session may reach, what it moved, and what it was refused",
           "tags": ["usage"],
           "description": "Needs the role viewer or a higher one. The rules are the policy's as they hold now. Bytes are those of the last 31 days on which something moved, a second late at most.",
           "responses": {
            "200": \#(answer(of: "Egress", "Newest first.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          },
          "parameters": [{"$ref": "#/components/parameters/SessionID"}]
         }
        }
        """#

    static let egressSchemas = #"""
        {
         "Egress": {
          "type": "object",
          "required": ["policy", "mode", "allow", "limits", "tenant_limits", "days", "refusals"],
          "properties": {
           "policy": {"type": "string"},
           "mode": {"type": "string", "enum": ["none", "list", "open"]},
           "allow": {"type": "array", "items": {"type": "string"}, "description": "Hosts with ports, as the policy's file has them."},
           "narrowed": {"type": "array", "items": {"type": "string"}, "description": "What the session was made with: at most these of what the policy lets out."},
           "limits": {"$ref": "#/components/schemas/EgressLimits"},
           "tenant_limits": {"$ref": "#/components/schemas/EgressLimits"},
           "days": {
            "type": "array",
            "items": {
             "type": "object",
             "required": ["day", "sent_bytes", "received_bytes", "connections"],
             "properties": {
              "day": {"type": "string", "format": "date"},
              "sent_bytes": {"type": "integer"},
              "received_bytes": {"type": "integer"},
              "connections": {"type": "integer"}
             }
            }
           },
           "refusals": {
            "type": "array",
            "items": {
             "type": "object",
             "required": ["target", "reason", "detail", "count", "first_at", "last_at"],
             "properties": {
              "target": {"type": "string"},
              "reason": {
               "type": "string",
               "enum": ["policy", "method", "bad_request", "unknown_host", "lookup", "private_address", "not_tls", "server_name", "connections", "daily_bytes", "unreachable", "unavailable", "secret"]
              },
              "detail": {"type": "string"},
              "count": {"type": "integer"},
              "first_at": {"type": "string", "format": "date-time"},
              "last_at": {"type": "string", "format": "date-time"}
             }
            }
           }
          }
         },
         "EgressLimits": {
          "type": "object",
          "required": ["connections"],
          "description": "What is left out is not limited.",
          "properties": {
           "connections": {"type": "integer", "description": "At once."},
           "bandwidth_bytes": {"type": "integer", "description": "A second, both ways together."},
           "daily_bytes": {"type": "integer", "description": "A day of UTC, both ways together."}
          }
         }
        }
        """#
}
