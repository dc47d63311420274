/// On how many of the machine's processors the processes of a session may run.
public enum ProcessorCount: Sendable, Hashable {
    /// On so many, or on all where there are no more.
    case upTo(Int)
    /// On all but one; on a machine with one, on that.
    case allButOne

    static let allButOneWord = "all-but-one"
    /// What stands in policies and reports for no limit.
    public static let all = "all"

    /// nil for ``allButOne``.
    var number: Int? {
        if case .upTo(let number) = self { number } else { nil }
    }

    /// How many that is, at least 1, of those that there are.
    public func count(of available: Int) -> Int {
        switch self {
        case .upTo(let number): max(min(number, available), 1)
        case .allButOne: max(available - 1, 1)
        }
    }
}

extension ProcessorCount: CustomStringConvertible {
    public var description: String {
        switch self {
        case .upTo(let number): "\(number)"
        case .allButOne: Self.allButOneWord
        }
    }
}

extension ProcessorCount: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .upTo(number)
            return
        }
        guard try container.decode(String.self) == Self.allButOneWord else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "write a whole number, or \(Self.allButOneWord)")
        }
        self = .allButOne
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .upTo(let number): try container.encode(number)
        case .allButOne: try container.encode(Self.allButOneWord)
        }
    }
}
