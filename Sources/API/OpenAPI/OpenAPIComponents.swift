extension OpenAPIDocument {
    /// Schemas, the one error response, and the credentials.
    static let components = #"""
        {
         "schemas": {
          "Lifecycle": {
           "type": "string",
           "enum": ["queued", "starting", "running", "parking", "parked", "stopping", "stopped", "failed", "deleted"]
          },
          "Activity": {"type": "string", "enum": ["idle", "working", "pending"]},
          "Role": {"type": "string", "enum": ["viewer", "approver", "user", "admin", "operator"]},
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
            "labels": {
             "type": "object",
             "maxProperties": 64,
             "additionalProperties": {"type": "string", "maxLength": 255}
            },
            "model": {"type": "string"},
            "permission_mode": {"type": "string"},
            "idle_timeout": {
             "type": ["string", "integer"],
             "examples": ["90s", "20m", "8h"],
             "description": "A duration, or seconds."
            },
            "egress": {
             "type": "array",
             "maxItems": 256,
             "items": {"type": "string"},
             "description": "Hosts as policies write them: the session reaches at most these of what its policy lets out; empty: none."
            },
            "max_lifetime": {
             "type": ["string", "integer"],
             "examples": ["90s", "20m", "8h"],
             "description": "A duration, or seconds."
            },
            "prompt": {"type": "string", "description": "Typed once the session is ready."}
           }
          },
          "SessionPatch": {
           "type": "object",
           "additionalProperties": false,
           "properties": {
            "name": {"type": "string", "maxLength": 200},
            "labels": {
             "type": "object",
             "maxProperties": 64,
             "additionalProperties": {"type": "string", "maxLength": 255}
            },
            "pinned": {"type": "boolean"},
            "idle_timeout": {
             "type": ["string", "integer"],
             "examples": ["90s", "20m", "8h"],
             "description": "A duration, or seconds."
            },
            "max_lifetime": {
             "type": ["string", "integer"],
             "examples": ["90s", "20m", "8h"],
             "description": "A duration, or seconds."
            }
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
          },
          "Event": {
           "type": "object",
           "required": ["seq", "time", "session_id", "incarnation", "type", "data"],
           "properties": {
            "seq": {"type": "integer"},
            "time": {"type": "string", "format": "date-time"},
            "session_id": {"type": "string", "format": "uuid"},
            "incarnation": {"type": "integer"},
            "type": {"type": "string"},
            "data": {"type": "object"}
           }
          },
          "PermissionList": {
           "type": "object",
           "required": ["items"],
           "properties": {
            "items": {
             "type": "array",
             "items": {
              "type": "object",
              "required": ["id", "kind", "tool_name", "answerable", "since"],
              "properties": {
               "id": {"type": "string"},
               "kind": {"type": "string", "enum": ["tool", "question", "plan"]},
               "tool_name": {"type": "string"},
               "tool_input": {"type": "object"},
               "visible": {"type": "string", "description": "The input as text, whole, with invisible characters made visible."},
               "description": {"type": "string"},
               "tool_use_id": {"type": "string"},
               "suggestions": {"type": "array", "items": {"type": "object"}},
               "answerable": {"type": "boolean"},
               "truncated": {"type": "boolean"},
               "since": {"type": "string", "format": "date-time"},
               "expires_at": {"type": "string", "format": "date-time"},
               "session_id": {"type": "string", "format": "uuid"},
               "session_name": {"type": ["string", "null"]},
               "owner": {"type": "string"}
              }
             }
            }
           }
          },
          "Idle": {
           "type": "object",
           "required": ["idle_timeout", "signals", "rule"],
           "properties": {
            "idle_timeout": {"type": "string", "examples": ["90s", "20m", "8h"]},
            "rule": {"type": "string"},
            "warns_at": {"type": "string", "format": "date-time"},
            "parks_at": {"type": "string", "format": "date-time"},
            "signals": {
             "type": "array",
             "items": {
              "type": "object",
              "required": ["name", "value", "source", "keeps_awake"],
              "properties": {
               "name": {"type": "string"},
               "value": {"type": "string"},
               "age_seconds": {"type": "number"},
               "source": {"type": "string"},
               "keeps_awake": {"type": "boolean"}
              }
             }
            }
           }
          },
          "Stats": {
           "type": "object",
           "required": ["memory", "cpu", "pids"],
           "properties": {
            "memory": {
             "type": "object",
             "properties": {"current": {"type": "integer"}, "peak": {"type": "integer"}, "limit": {"type": "integer"}}
            },
            "cpu": {"type": "object", "properties": {"seconds": {"type": "number"}}},
            "pids": {"type": "object", "properties": {"current": {"type": "integer"}, "limit": {"type": "integer"}}},
            "oom_kills": {"type": "integer"}
           }
          },
          "Token": {
           "type": "object",
           "required": ["id", "role", "user", "tenant", "created_at"],
           "properties": {
            "id": {"type": "string"},
            "name": {"type": "string"},
            "role": {"$ref": "#/components/schemas/Role"},
            "user": {"type": "string"},
            "tenant": {"type": "string"},
            "created_at": {"type": "string", "format": "date-time"},
            "last_used_at": {"type": "string", "format": "date-time"},
            "token": {"type": "string", "description": "Only in the answer that made it."}
           }
          },
          "Image": {
           "type": "object",
           "required": ["name"],
           "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "digest": {"type": "string", "description": "`sha256-` and 64 hexadecimal digits, of the blob."},
            "size": {"type": "integer", "description": "Bytes of the blob."},
            "suite": {"type": "string", "description": "The Debian suite it was built from."},
            "built_at": {"type": "string", "format": "date-time"},
            "packages": {"type": "integer", "description": "How many Debian packages are in it."}
           }
          },
          "Policy": {
           "type": "object",
           "description": "What its file and those it extends say, in the shape of a policy's file (Policies/schema.json), with every key. `source` of a mount is there for administrators only, `environment` for the role user and higher ones.",
           "required": ["name", "limits", "network", "permission_mode", "bounds"],
           "properties": {
            "name": {"type": "string"},
            "description": {"type": "string"},
            "image": {"type": "string"},
            "limits": {"type": "object"},
            "network": {"enum": ["none", "proxy", "host"]},
            "permission_mode": {"type": "string"},
            "bounds": {"type": "object", "description": "What a request may change, and how far."}
           },
           "additionalProperties": true
          },
          "Health": {
           "type": "object",
           "required": ["status"],
           "properties": {
            "status": {"const": "ok"},
            "sessions": {
             "type": "integer",
             "description": "Running sessions that the caller may see; absent without credentials."
            }
           }
          },
          "Readiness": {
           "type": "object",
           "required": ["ready", "checks"],
           "properties": {
            "ready": {"type": "boolean"},
            "checks": {
             "type": "object", "additionalProperties": {"type": "string"},
             "description": "`ok`, or what is wrong. `adoption` says what became of the sessions that were there when the supervisor started. `recovery` is there after the registry had to be made anew: what was done, and what could not be known."
            }
           }
          },
          "Recovery": {
           "type": "object",
           "required": ["started_at", "seconds", "after_reboot", "sessions", "unowned"],
           "properties": {
            "started_at": {"type": "string", "format": "date-time"},
            "seconds": {"type": "number", "description": "From the supervisor's start until the API could be served."},
            "after_reboot": {"type": "boolean"},
            "sessions": {
             "type": "array",
             "items": {
              "type": "object",
              "required": ["id", "outcome", "reason"],
              "properties": {
               "id": {"type": "string", "format": "uuid"},
               "outcome": {"type": "string", "enum": ["adopted", "resumed", "waiting", "failed", "ended"]},
               "reason": {"type": "string"}
              }
             }
            },
            "unowned": {
             "type": "array",
             "items": {"type": "string"},
             "description": "Sessions that the registry does not know and of which there is data: files or a journal. It is left alone."
            }
           }
          },
          "Upgrade": {
           "type": "object",
           "required": ["instance", "version", "pid", "started_at", "replaceable", "workers", "sessions"],
           "properties": {
            "instance": {"type": "string", "format": "uuid", "description": "Of the supervisor's process."},
            "version": {"type": "string"},
            "pid": {"type": "integer"},
            "started_at": {"type": "string", "format": "date-time"},
            "replaceable": {"type": "boolean", "description": "Whether this supervisor has a steward."},
            "last": {
             "type": ["object", "null"],
             "required": ["outcome"],
             "properties": {
              "outcome": {"type": "string", "enum": ["upgraded", "failed"]},
              "reason": {"type": ["string", "null"]}
             }
            },
            "workers": {"type": "string", "enum": ["now", "idle", "never"]},
            "sessions": {
             "type": "array",
             "items": {
              "type": "object",
              "required": ["id", "state"],
              "properties": {
               "id": {"type": "string", "format": "uuid"},
               "name": {"type": ["string", "null"]},
               "state": {"type": "string", "enum": ["current", "waiting", "renewing", "older"]},
               "detail": {"type": ["string", "null"]}
              }
             }
            }
           }
          },
          "Problem": {
           "type": "object",
           "description": "RFC 9457.",
           "required": ["type", "title", "status", "detail", "code"],
           "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "description": "Stable, for programs."},
            "retry_after": {"type": "integer"},
            "field": {"type": "string", "description": "The field of the request that was refused."},
            "line": {"type": "integer"},
            "column": {"type": "integer"},
            "step": {"type": "string", "description": "The step of the launch that failed."},
            "errno": {"type": "integer"},
            "remedy": {"type": "string"},
            "message": {"type": "string"}
           }
          }
         },
         "responses": {
          "Problem": {
           "description": "Refused or failed; `code` says why. 429 and 503 may have Retry-After.",
           "headers": {"Retry-After": {"schema": {"type": "integer"}}},
           "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
          }
         },
         "parameters": {
          "SessionID": {
           "name": "id",
           "in": "path",
           "required": true,
           "schema": {"type": "string", "format": "uuid"},
           "description": "The session."
          },
          "Ticket": {
           "name": "ticket",
           "in": "query",
           "required": false,
           "schema": {"type": "string"},
           "description": "A ticket of POST /v1/tickets, for clients that cannot send headers."
          }
         },
         "securitySchemes": {
          "bearer": {"type": "http", "scheme": "bearer", "description": "`rk_<public id>_<secret>`"},
          "login": {
           "type": "apiKey",
           "in": "cookie",
           "name": "rookery_login",
           "description": "From POST /v1/auth/login. Unsafe methods and WebSockets need a same-origin Origin."
          },
          "ticket": {"type": "apiKey", "in": "query", "name": "ticket"}
         }
        }
        """#
}
