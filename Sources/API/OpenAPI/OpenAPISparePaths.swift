extension OpenAPIDocument {
    /// Paths of the sandboxes that wait for sessions.
    static let sparePaths = #"""
        {
         "/v1/spares": {
          "get": {
           "operationId": "spares",
           "summary": "The sandboxes that wait for sessions, by tenant and policy",
           "tags": ["service"],
           "responses": {
            "200": \#(answer(of: "Spares", "For operators.")),
            "default": {"$ref": "#/components/responses/Problem"}
           }
          }
         }
        }
        """#

    static let spareSchemas = #"""
        {
         "Spares": {
          "type": "object",
          "required": ["pools", "made", "claimed", "missed", "dropped"],
          "properties": {
           "pools": {
            "type": "array",
            "items": {
             "type": "object",
             "required": ["tenant", "policy", "wanted", "ready"],
             "properties": {
              "tenant": {"type": "string"},
              "policy": {"type": "string"},
              "wanted": {"type": "integer", "description": "0 when the tenant has not used the policy for its linger time."},
              "ready": {"type": "integer"},
              "oldest_seconds": {"type": ["number", "null"]},
              "fault": {"type": ["string", "null"], "description": "Why the last one could not be made, or had."},
              "retry_seconds": {"type": ["number", "null"], "description": "Until the next is tried."}
             }
            }
           },
           "made": {"type": "integer", "description": "Since the supervisor's start, as all counts here."},
           "claimed": {"type": "integer", "description": "Sessions that began with a spare."},
           "missed": {"type": "integer", "description": "Sessions that could have had one and began cold."},
           "dropped": {
            "type": "object", "additionalProperties": {"type": "integer"},
            "description": "Spares that no session had, by reason."
           }
          }
         }
        }
        """#
}
