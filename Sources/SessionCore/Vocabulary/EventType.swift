/// The one event vocabulary of SSE, WebSocket and the session's log (API v1, "Events").
///
/// What `data` holds for the types that a running session's program gives rise to; `?` may be missing. A field that is not
/// listed may be added later. Texts longer than 32 KiB are cut: then `truncated` is true and `bytes` says how many there were.
///
/// | type | data |
/// |---|---|
/// | `session.activity` | `activity`: idle, working, pending; `source`; `background_shell`?; `waiting_for`? |
/// | `session.settings` | what changed of `model`, `permission_mode`, `title`, `tools` (names), `mcp_servers` (`[{name, status}]`), `commands` (names), `cwd`, `version`, `channels` (of a session whose policy offers them: `taken` or `refused`) |
/// | `session.switched` | `kind`: terminal, structured; `by` |
/// | `session.forked` | of a session that began as a copy of another: `from` (its id), `files`, `bytes`, `left` (what could not be copied), `at_rest` (nothing of it ran meanwhile); `by` |
/// | `input.accepted` | `text`, `submit`, `by`, `client_id`?; of a structured session also `prompt_id`, `images`? (their number) |
/// | `input.delivered` | `input_seq`, `client_id`?, `prompt_id`?, `found`? (it was in the transcript already), `by_channel`? (as a channel notification) |
/// | `prompt.queued` | `prompt_id`: it waits for the turn that runs |
/// | `prompt.withdrawn` | `prompt_id`, `input_seq`, `by`: it was taken back before it was begun; by `session`: the program gave it up when it was interrupted |
/// | `turn.started` | `prompt`?, `prompt_id`?; of a structured session `prompt_ids`: all that were merged into it |
/// | `turn.retrying` | `attempt`, `max_retries`, `delay_ms`, `status`?, `error`? |
/// | `turn.completed` | `outcome`: completed, failed, interrupted, ended; `duration_ms`; `reason`? (why it was cut short); `message`? (the last words, or the error); `prompt_id`?; of a structured session `prompt_ids`, `num_turns`, `cost_usd`, `usage` (below), `stop_reason`?, `api_error_status`?, `denials`? (number of refused tools) |
/// | `message.user`, `message.assistant`, `message.thinking` | `uuid`?, by which the CLI's transcript knows it; `recovered`?: true where it was found there after the worker had been killed; and: |
/// | `message.user` | `text`; of a structured session `prompt_id`?, `parent_tool_use_id`? |
/// | `message.assistant`, `message.thinking` | `text`; of a structured session `message_id`, `model`?, `parent_tool_use_id`? (of a subagent) |
/// | `message.delta` | `message_id`, `kind`: text, thinking; `text`; `index` of the block; `parent_tool_use_id`?. What it adds up to follows as a message: nobody needs deltas to have all |
/// | `tool.started` | `tool_use_id`, `tool_name`, `tool_input`; `message_id`?, `parent_tool_use_id`?, `recovered`? as of messages |
/// | `tool.progress` | `tool_use_id`, `tool_name`, `elapsed_seconds` |
/// | `tool.completed` | `tool_use_id`, `tool_name`, `is_error`, `interrupted`?, `error`?; of a structured session, and where `recovered`, `output`? |
/// | `task.started`, `task.completed` | `task_id`, `description`?, `tool_use_id`?, `status`?: something in the background |
/// | `channel.reply`, `channel.status` | `chat_id`; `text`, or `status` and `detail`?: what the model said to the session's people by claude-socket's tools |
/// | `permission.requested` | `id`, `kind`: tool, question, plan; `tool_name`, `tool_input`, `visible` (the input as text, whole, with control and direction characters made visible), `description`?, `tool_use_id`?, `suggestions`?, `since`, `expires_at`?, `answerable`: false where only the terminal can answer |
/// | `permission.resolved` | `id`, `resolution`: allowed, denied, withdrawn; `tool_name`?, `by`?, `via`: client, terminal, policy, timeout, session; `message`?, `updated`? (the input was changed), `remember`? |
/// | `egress.refused` | `target`: host and port, as far as they were said; `reason`: policy, method, private_address, server_name, …; `detail`: a sentence; `count`: how often since it was last told of |
/// | `usage.updated` | `cost_usd`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_creation_tokens` since the incarnation began; `models`: the same by model |
/// | `budget.warning` | `scope`: session, user, tenant; `period`, `limit_usd`, `spent_usd`, `ends_at`: most of a budget is used |
/// | `cli.message` | `message`: a message of the program that this version has no word for, as it came |
/// | `cli.dropped` | `bytes`, `reason`: too_large, not_json: a record of the program that was left out |
public enum EventType: String, Codable, Sendable, Hashable, CaseIterable {
    case sessionCreated = "session.created"
    case sessionStarting = "session.starting"
    case sessionRunning = "session.running"
    case sessionActivity = "session.activity"
    case sessionParking = "session.parking"
    case sessionParked = "session.parked"
    case sessionStopping = "session.stopping"
    case sessionStopped = "session.stopped"
    case sessionFailed = "session.failed"
    case sessionDeleted = "session.deleted"
    /// Another supervisor has taken the running session over.
    case sessionAdopted = "session.adopted"
    case sessionReapWarning = "session.reap_warning"
    case sessionLimits = "session.limits"
    case sessionOOM = "session.oom"
    case sessionJournal = "session.journal"
    case sessionSettings = "session.settings"
    case sessionSwitched = "session.switched"
    case sessionForked = "session.forked"
    case policyViolation = "policy.violation"
    case egressRefused = "egress.refused"
    case inputAccepted = "input.accepted"
    case inputDelivered = "input.delivered"
    case promptQueued = "prompt.queued"
    case promptWithdrawn = "prompt.withdrawn"
    case turnStarted = "turn.started"
    case turnRetrying = "turn.retrying"
    case turnCompleted = "turn.completed"
    case messageUser = "message.user"
    case messageAssistant = "message.assistant"
    case messageThinking = "message.thinking"
    case messageDelta = "message.delta"
    case toolStarted = "tool.started"
    case toolProgress = "tool.progress"
    case toolCompleted = "tool.completed"
    case taskStarted = "task.started"
    case taskCompleted = "task.completed"
    case channelReply = "channel.reply"
    case channelStatus = "channel.status"
    case permissionRequested = "permission.requested"
    case permissionResolved = "permission.resolved"
    case usageUpdated = "usage.updated"
    case budgetWarning = "budget.warning"
    case cliMessage = "cli.message"
    case cliDropped = "cli.dropped"
    case clientAttached = "client.attached"
    case clientDetached = "client.detached"
    case terminalResized = "terminal.resized"
    case gap
}
