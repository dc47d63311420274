extension OpenAPIDocument {
    /// Schemas of more than one part, the one error response, and the credentials.
    static let components = #"""
        {
         "schemas": {
          "Role": {"type": "string", "enum": ["viewer", "approver", "user", "admin", "operator"]},
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
