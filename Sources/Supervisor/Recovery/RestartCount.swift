import Foundation
import Registry
import SessionCore

/// How often in a row the supervisor started a session again of its own accord. It gives up where that does not help.
struct RestartCount: Equatable {
    private(set) var inARow = 0

    init() {}

    /// What the registry knows: a supervisor that crashed itself does not begin to count anew.
    init(_ transitions: [TransitionRecord], steadyAfter: TimeInterval) {
        var ended: Date?
        for transition in transitions.reversed() {
            switch transition.to {
            case .parked, .failed, .stopped:
                ended = ended ?? transition.time
            case .running:
                if let end = ended, end.timeIntervalSince(transition.time) >= steadyAfter { return }
                ended = nil
            case .starting:
                guard transition.reason == .crashed || transition.reason == .hostRestart else { return }
                inARow += 1
            case .queued, .parking, .stopping, .deleted: break
            }
        }
    }

    /// The incarnation ended after so many seconds.
    mutating func lived(_ seconds: TimeInterval, steadyAfter: TimeInterval) {
        if seconds >= steadyAfter { inARow = 0 }
    }

    /// How long to wait before the next start; nil: it was tried often enough. Counts the start.
    mutating func next(_ delays: [Duration]) -> Duration? {
        guard inARow < delays.count else { return nil }
        defer { inARow += 1 }
        return delays[inARow]
    }

    /// Somebody started it: what was before does not count.
    mutating func reset() { inARow = 0 }
}
