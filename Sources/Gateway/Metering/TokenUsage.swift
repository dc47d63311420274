/// What a model request used, in the API's own counts.
public struct TokenUsage: Sendable, Hashable {
    /// Tokens of the prompt that no cache held and none was made of.
    public var input: Int64
    public var output: Int64
    public var cacheRead: Int64
    /// Written to a cache that lasts five minutes.
    public var cacheWrite5m: Int64
    /// Written to a cache that lasts an hour.
    public var cacheWrite1h: Int64
    public var webSearches: Int64

    public static let none = TokenUsage()

    public init(
        input: Int64 = 0, output: Int64 = 0, cacheRead: Int64 = 0, cacheWrite5m: Int64 = 0, cacheWrite1h: Int64 = 0,
        webSearches: Int64 = 0
    ) {
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
        self.webSearches = webSearches
    }

    public var cacheWrite: Int64 { cacheWrite5m + cacheWrite1h }

    /// All tokens of the prompt: what decides whether it counts as a long one.
    var prompt: Int64 { input + cacheRead + cacheWrite }
}

/// A `usage` object of the Messages API, as far as it is billed. Counts in a stream are totals so far, so each report
/// takes the place of the one before; what a report leaves out stays.
struct UsageReport: Decodable {
    struct CacheCreation: Decodable {
        var fiveMinutes: Int64?
        var hour: Int64?

        enum CodingKeys: String, CodingKey {
            case fiveMinutes = "ephemeral_5m_input_tokens"
            case hour = "ephemeral_1h_input_tokens"
        }
    }

    struct ServerTools: Decodable {
        var webSearches: Int64?
        enum CodingKeys: String, CodingKey { case webSearches = "web_search_requests" }
    }

    var input: Int64?
    var output: Int64?
    var cacheRead: Int64?
    var cacheWrite: Int64?
    var cacheCreation: CacheCreation?
    var serverTools: ServerTools?

    enum CodingKeys: String, CodingKey {
        case input = "input_tokens"
        case output = "output_tokens"
        case cacheRead = "cache_read_input_tokens"
        case cacheWrite = "cache_creation_input_tokens"
        case cacheCreation = "cache_creation"
        case serverTools = "server_tool_use"
    }

    /// Never lowers a count: a later report of a stream may leave fields at zero.
    func apply(to usage: inout TokenUsage) {
        func raise(_ count: inout Int64, _ told: Int64?) { if let told, told > count { count = min(told, Self.most) } }
        raise(&usage.input, input)
        raise(&usage.output, output)
        raise(&usage.cacheRead, cacheRead)
        let hour = min(max(cacheCreation?.hour ?? 0, 0), Self.most)
        raise(&usage.cacheWrite1h, hour)
        let fiveMinutes = cacheWrite.map { min(max($0, 0), Self.most) - usage.cacheWrite1h }
        raise(&usage.cacheWrite5m, fiveMinutes ?? cacheCreation?.fiveMinutes)
        raise(&usage.webSearches, serverTools?.webSearches)
    }

    /// No request has more; sums over many stay far from overflowing.
    private static let most: Int64 = 1 << 32
}
