import Glibc

/// A moment on CLOCK_MONOTONIC, in seconds. It never jumps, stands still while the machine sleeps, and is the same for
/// every process of one boot: what is measured by it is not touched by whoever sets the clock.
public struct MonotonicTime: Sendable, Hashable, Comparable {
    public var seconds: Double

    public init(seconds: Double) { self.seconds = seconds }

    public static var now: MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    /// Before everything.
    public static let distantPast = MonotonicTime(seconds: -.greatestFiniteMagnitude)

    /// Seconds from `earlier` to here; infinite from ``distantPast``.
    public func since(_ earlier: MonotonicTime) -> Double {
        earlier == .distantPast ? .infinity : seconds - earlier.seconds
    }

    public static func + (time: MonotonicTime, seconds: Double) -> MonotonicTime {
        MonotonicTime(seconds: time.seconds + seconds)
    }

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.seconds < right.seconds }
}

extension MonotonicTime: Codable {
    public init(from decoder: any Decoder) throws {
        seconds = try decoder.singleValueContainer().decode(Double.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}
