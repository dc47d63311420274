public import Foundation

/// One line between a program that speaks stream-json and its host, as whoever runs the program wrote it down. Numbers rise by
/// one: what a server has of them is its whole knowledge of the session, and is made anew from them.
public struct RemoteRecord: Sendable, Hashable {
    /// Bytes of a line.
    public static let largestLine = 7 << 20

    public var number: UInt64
    public var time: Date
    /// Who gave the line to the program; nil: the program said it.
    public var by: String?
    /// The server's request that it was given for.
    public var request: String?
    /// A JSON object, without its end.
    public var line: String

    public init(number: UInt64, time: Date, by: String? = nil, request: String? = nil, line: String) {
        self.number = number
        self.time = time
        self.by = by
        self.request = request
        self.line = line
    }

    /// As it is sent: `record`.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "type": "record", "n": .integer(Int64(clamping: number)),
            "t": .integer(Int64((time.timeIntervalSince1970 * 1000).rounded())), "line": .string(line),
        ]
        members["by"] = by.map { .string($0) }
        members["request"] = request.map { .string($0) }
        return .object(members)
    }

    public init?(_ json: JSONValue) {
        guard json["type"] == "record", let number = json["n"]?.integer, (1...(1 << 31)).contains(number),
            let time = json["t"]?.integer, let line = json["line"]?.string, line.utf8.count <= Self.largestLine
        else { return nil }
        self.init(
            number: UInt64(number), time: Date(timeIntervalSince1970: Double(time) / 1000),
            by: json["by"]?.string.map { String($0.prefix(200)) },
            request: json["request"]?.string.map { String($0.prefix(200)) }, line: line)
    }
}
