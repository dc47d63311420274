/// How a turn ended.
public struct StreamResult: Sendable, Hashable {
    /// `success`, `error_during_execution`, `error_max_turns`, …; success too when the model API failed.
    public var subtype: String
    public var isError: Bool
    /// The last words, or what went wrong.
    public var text: String?
    /// `completed`, `aborted_streaming`, `aborted_tools`, `api_error`, …
    public var terminalReason: String?
    public var stopReason: String?
    public var apiErrorStatus: Int?
    public var turns: Int?
    public var milliseconds: Int?
    /// US dollars since the process began.
    public var totalCost: Double?
    public var usage: StreamUsage?
    /// Since the process began, by model.
    public var models: [String: StreamUsage]
    public var denials: Int
    /// The prompts of this turn.
    public var promptIDs: [String]

    public init(subtype: String = "success", isError: Bool = false, text: String? = nil) {
        self.subtype = subtype
        self.isError = isError
        self.text = text
        models = [:]
        denials = 0
        promptIDs = []
    }

    init(_ object: JSONObject) {
        subtype = object.string("subtype") ?? ""
        isError = object.bool("is_error") ?? false
        text =
            object.string("result") ?? (object.array("errors")?.compactMap { $0 as? String })?.joined(separator: "\n")
        terminalReason = object.string("terminal_reason")
        stopReason = object.string("stop_reason")
        apiErrorStatus = object.integer("api_error_status")
        turns = object.integer("num_turns")
        milliseconds = object.integer("duration_ms")
        totalCost = object.number("total_cost_usd")
        usage = object.object("usage").map { StreamUsage($0, names: .api) }
        models = (object.object("modelUsage")?.members ?? [:]).compactMapValues { value in
            (value as? [String: Any]).map { StreamUsage(JSONObject($0), names: .models) }
        }
        denials = object.array("permission_denials")?.count ?? 0
        promptIDs = (object.array("user_message_uuids") ?? []).compactMap { $0 as? String }
    }
}

/// Tokens, and what they cost.
public struct StreamUsage: Sendable, Hashable {
    public var input: Int
    public var output: Int
    public var cacheRead: Int
    public var cacheCreation: Int
    /// US dollars.
    public var cost: Double?

    public init(input: Int = 0, output: Int = 0, cacheRead: Int = 0, cacheCreation: Int = 0, cost: Double? = nil) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheCreation = cacheCreation
        self.cost = cost
    }

    /// The CLI has two spellings.
    enum Names { case api, models }

    init(_ object: JSONObject, names: Names) {
        func count(_ api: String, _ models: String) -> Int {
            max(object.integer(names == .api ? api : models) ?? 0, 0)
        }
        input = count("input_tokens", "inputTokens")
        output = count("output_tokens", "outputTokens")
        cacheRead = count("cache_read_input_tokens", "cacheReadInputTokens")
        cacheCreation = count("cache_creation_input_tokens", "cacheCreationInputTokens")
        cost = object.number("costUSD")
    }
}
