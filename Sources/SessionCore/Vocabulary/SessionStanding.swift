/// Where a session stands, for a client that has just come: the `data` of the first frame on `…/stream`
/// (`{"type":"state","seq","session_id","incarnation","data":{…}}`) and of the answer to the command `state`.
///
/// | member | |
/// |---|---|
/// | `kind`, `lifecycle`, `activity`, `activity_since`, `waiting_for`? | |
/// | `turn`? | `prompt`?, `prompt_ids`, `since` |
/// | `queued` | prompts that wait: `[{prompt_id, text, by}]` |
/// | `tools` | that run: `[{tool_use_id, tool_name, tool_input}]` |
/// | `permissions` | that are open, as `permission.requested` has them |
/// | `settings` | `model`?, `permission_mode`?, `title`?, `tools`?, `mcp_servers`?, `commands`?, `cwd`?, `version`? |
/// | `usage` | as `usage.updated` |
/// | `seq` | of the newest event that it takes account of |
public enum SessionStanding {}
