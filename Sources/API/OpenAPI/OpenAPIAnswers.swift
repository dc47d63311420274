extension OpenAPIDocument {
    /// The answer of a list, as JSON: a page of what a schema describes.
    static func page(of schema: String, _ description: String) -> String {
        #"""
        {
         "description": "\#(description)",
         "content": {
          "application/json": {
           "schema": {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {
             "items": {"type": "array", "items": {"$ref": "#/components/schemas/\#(schema)"}},
             "next_cursor": {"type": ["string", "null"]}
            }
           }
          }
         }
        }
        """#
    }

    /// An answer that is one of what a schema describes.
    static func answer(of schema: String, _ description: String) -> String {
        #"""
        {
         "description": "\#(description)",
         "content": {"application/json": {"schema": {"$ref": "#/components/schemas/\#(schema)"}}}
        }
        """#
    }

    /// The answer that does not end.
    static let eventStream = #"""
        {
         "description": "A stream of events. `id` is the sequence number, `event` the type, `data` an Event. A comment comes every 15 s when nothing else does; a hole is a `gap` event.",
         "content": {"text/event-stream": {"schema": {"type": "string"}}}
        }
        """#
}
