/// A span of time that reads and writes as the API shows durations: `"90s"`, `"20m"`, `"8h"`, `"2d"`.
/// Millisecond resolution; never negative.
public struct TimeSpan: Sendable, Hashable, Comparable {
    public let milliseconds: UInt64

    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    public static func seconds(_ count: UInt64) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    public static func minutes(_ count: UInt64) -> TimeSpan { .seconds(count * 60) }
    public static func hours(_ count: UInt64) -> TimeSpan { .minutes(count * 60) }

    public var seconds: Double { Double(milliseconds) / 1000 }
    public var duration: Duration { .milliseconds(Int64(milliseconds)) }

    /// The longest span accepted: ten years. Keeps every sum of a time and a span representable.
    public static let longest = TimeSpan.hours(24 * 3650)

    /// Parses a number with a unit `ms`, `s`, `m`, `h` or `d`; a bare number is seconds.
    /// Returns nil for anything else and for spans above ``longest``.
    public init?(parsing text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = UInt64(digits) else { return nil }
        let unit: UInt64
        switch String(text.dropFirst(digits.count)) {
        case "ms": unit = 1
        case "", "s": unit = 1000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        let (value, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow, value <= Self.longest.milliseconds else { return nil }
        self.milliseconds = value
    }

    public static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.milliseconds < right.milliseconds }
}

extension TimeSpan: CustomStringConvertible {
    /// The largest unit that divides the span evenly.
    public var description: String {
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] as [(UInt64, String)]
        where milliseconds > 0 && milliseconds % unit == 0 {
            return "\(milliseconds / unit)\(name)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }
}

extension TimeSpan: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let seconds = try? container.decode(UInt64.self), seconds <= Self.longest.milliseconds / 1000 {
            self = .seconds(seconds)
            return
        }
        let text = try container.decode(String.self)
        guard let span = TimeSpan(parsing: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is not a duration: write a number with s, m, h or d")
        }
        self = span
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
