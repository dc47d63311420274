extension OpenAPIDocument {
    // What a session's creation and its change ask for alike.

    private static let askedDuration = #"""
        {"type": ["string", "integer"], "examples": ["90s", "20m", "8h"], "description": "A duration, or seconds."}
        """#

    private static let askedLabels = #"""
        {"type": "object", "maxProperties": 64, "additionalProperties": {"type": "string", "maxLength": 255}}
        """#

    /// What a session is, is made from and shows.
    static let sessionSchemas = #"""
        {
         "Lifecycle": {
          "type": "string",
          "enum": ["queued", "starting", "running", "parking", "parked", "stopping", "stopped", "failed", "deleted"]
         },
         "Activity": {"type": "string", "enum": ["idle", "working", "pending"]},
         "Size": {
          "type": "object",
          "required": ["cols", "rows"],
          "additionalProperties": false,
          "properties": {
           "cols": {"type": "integer", "minimum": 2, "maximum": 500},
           "rows": {"type": "integer", "minimum": 2, "maximum": 300}
          }
         },
         "Limit": {
          "type": "object",
          "description": "One limit as asked for, and as it really holds here.",
          "required": ["name", "asked", "by"],
          "properties": {
           "name": {"type": "string", "description": "As the policy has it, such as memory, processors or unwritten."},
           "asked": {"type": "string", "description": "As the policy says it; none, or all, where it sets none."},
           "enforced": {"type": "string", "description": "As it holds; absent where nothing holds it."},
           "by": {"type": "string", "enum": ["cgroup-v2", "cgroup-v1", "rlimit", "tmpfs", "loop-image", "kernel", "none"]},
           "note": {"type": "string"}
          }
         },
         "Session": {
          "type": "object",
          "required": [
           "id",
           "name",
           "kind",
           "tenant",
           "owner",
           "lifecycle",
           "activity",
           "flags",
           "reason",
           "detail",
           "incarnation",
           "policy",
           "image",
           "size",
           "labels",
           "pinned",
           "model",
           "permission_mode",
           "idle_timeout",
           "max_lifetime",
           "egress",
           "limits",
           "created_at",
           "started_at",
           "last_activity_at",
           "deadlines",
           "clients",
           "journal",
           "forked_from"
          ],
          "properties": {
           "id": {"type": "string", "format": "uuid"},
           "name": {"type": ["string", "null"]},
           "kind": {"type": "string", "enum": ["terminal", "structured", "remote"]},
           "tenant": {"type": "string"},
           "owner": {"type": "string"},
           "lifecycle": {"$ref": "#/components/schemas/Lifecycle"},
           "activity": {"oneOf": [{"$ref": "#/components/schemas/Activity"}, {"type": "null"}]},
           "flags": {
            "type": "array",
            "items": {"type": "string", "enum": ["attached", "pinned", "frozen", "unresponsive", "draining"]}
           },
           "reason": {
            "type": ["string", "null"],
            "enum": [
             "requested",
             "idle",
             "max_lifetime",
             "budget",
             "oom",
             "crashed",
             "exited",
             "launch_failed",
             "host_restart",
             null
            ]
           },
           "detail": {"type": ["string", "null"]},
           "incarnation": {"type": "integer"},
           "policy": {"type": "string"},
           "image": {"type": "string"},
           "size": {"$ref": "#/components/schemas/Size"},
           "labels": {"type": "object", "additionalProperties": {"type": "string"}},
           "pinned": {"type": "boolean"},
           "model": {"type": ["string", "null"]},
           "permission_mode": {"type": ["string", "null"]},
           "idle_timeout": {"type": ["string", "null"], "examples": ["90s", "20m", "8h"]},
           "max_lifetime": {"type": ["string", "null"], "examples": ["90s", "20m", "8h"]},
           "egress": {"type": ["array", "null"], "items": {"type": "string"}, "description": "At most these hosts of what the policy lets out; null: all of that."},
           "limits": {"type": "array", "items": {"$ref": "#/components/schemas/Limit"}},
           "created_at": {"type": "string", "format": "date-time"},
           "started_at": {"type": ["string", "null"], "format": "date-time"},
           "last_activity_at": {"type": "string", "format": "date-time"},
           "deadlines": {
            "type": "object",
            "properties": {
             "parks_at": {"type": ["string", "null"], "format": "date-time"},
             "ends_at": {"type": ["string", "null"], "format": "date-time"}
            }
           },
           "forked_from": {
            "type": ["string", "null"],
            "format": "uuid",
            "description": "The session that it began as a copy of; also its label `rookery/forked-from`."
           },
           "journal": {
            "description": "Why nothing of the session can be stored now, and it therefore stands still; null: it can.",
            "oneOf": [
             {
              "type": "object",
              "required": ["state", "reason", "detail"],
              "properties": {
               "state": {"type": "string", "enum": ["stalled"]},
               "reason": {"type": "string", "enum": ["disk_full", "quota", "io_error"]},
               "detail": {"type": "string"}
              }
             },
             {"type": "null"}
            ]
           },
           "clients": {
            "type": "array",
            "items": {
             "type": "object",
             "properties": {
              "id": {"type": "integer"},
              "dialect": {"type": "string"},
              "principal": {"type": "string"},
              "driving": {"type": "boolean"},
              "since": {"type": "string", "format": "date-time"}
             }
            }
           }
          }
         },
         "SessionCreation": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
           "id": {"type": "string", "format": "uuid"},
           "name": {"type": "string", "maxLength": 200},
           "kind": {"type": "string", "enum": ["terminal", "structured"]},
           "policy": {"type": "string"},
           "image": {"type": "string"},
           "size": {"$ref": "#/components/schemas/Size"},
           "env": {"type": "object", "maxProperties": 100, "additionalProperties": {"type": "string"}},
           "labels": \#(askedLabels),
           "model": {"type": "string"},
           "permission_mode": {"type": "string"},
           "idle_timeout": \#(askedDuration),
           "egress": {
            "type": "array",
            "maxItems": 256,
            "items": {"type": "string"},
            "description": "Hosts as policies write them: the session reaches at most these of what its policy lets out; empty: none."
           },
           "max_lifetime": \#(askedDuration),
           "prompt": {"type": "string", "description": "Typed once the session is ready."}
          }
         },
         "SessionPatch": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
           "name": {"type": "string", "maxLength": 200},
           "labels": \#(askedLabels),
           "pinned": {"type": "boolean"},
           "idle_timeout": \#(askedDuration),
           "max_lifetime": \#(askedDuration)
          }
         },
         "Input": {
          "type": "object",
          "required": ["text"],
          "additionalProperties": false,
          "properties": {
           "text": {"type": "string", "description": "At most 128 KiB."},
           "client_id": {"type": "string", "maxLength": 200, "description": "The same twice is one input."},
           "submit": {"type": "boolean", "default": true, "description": "Press Enter after it."}
          }
         },
         "Screen": {
          "type": "object",
          "required": ["size", "cursor", "seq", "lines"],
          "properties": {
           "size": {"$ref": "#/components/schemas/Size"},
           "cursor": {"type": "object", "properties": {"row": {"type": "integer"}, "col": {"type": "integer"}}},
           "seq": {"type": "integer"},
           "title": {"type": "string"},
           "lines": {"type": "array", "items": {"type": "string"}}
          }
         }
        }
        """#
}
