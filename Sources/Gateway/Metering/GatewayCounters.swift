import Foundation
import Synchronization

/// What the gateway has done since it started, for monitoring.
public final class GatewayCounters: Sendable {
    public struct Values: Sendable, Hashable {
        /// Requests that ended, by outcome and status class ("2xx"; "none" without an answer).
        public var requests: [Key: Int] = [:]
        /// From a request's arrival to the first byte of its answer.
        public var firstByte = Histogram()
    }

    public struct Key: Sendable, Hashable {
        public var outcome: ModelRequestRecord.Outcome
        public var status: String
    }

    /// Cumulative, as Prometheus has them.
    public struct Histogram: Sendable, Hashable {
        public static let bounds: [Double] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
        public var counts = [Int](repeating: 0, count: bounds.count)
        public var count = 0
        public var sum = 0.0

        mutating func observe(_ seconds: Double) {
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
            count += 1
            sum += seconds
        }
    }

    private let values = Mutex(Values())

    public init() {}

    public var now: Values { values.withLock { $0 } }

    func ended(_ record: ModelRequestRecord) {
        let status = record.status.map { "\($0 / 100)xx" } ?? "none"
        values.withLock { values in
            values.requests[Key(outcome: record.outcome, status: status), default: 0] += 1
            if let first = record.firstByteAt {
                values.firstByte.observe(max(0, first.timeIntervalSince(record.startedAt)))
            }
        }
    }
}
