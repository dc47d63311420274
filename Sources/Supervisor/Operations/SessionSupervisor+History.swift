public import Registry
public import SessionCore

extension SessionSupervisor {
    /// Bytes of one page, about, whatever its events are.
    static let historyBytes = 2 << 20

    /// The session's newest events below `before`, or of all that are kept; a `gap` first where some are gone. Never wakes.
    /// What comes after the last of them is ``events(_:since:as:)``'s.
    /// - Parameter limit: a page may be shorter, and even empty, though there is more.
    public func history(
        _ id: SessionID, before: UInt64?, limit: Int, as principal: Principal
    ) async throws(SupervisorError) -> SessionHistory {
        let past = try await past(id, as: principal)
        if past.record.kind == .remote {
            // All that is told of one whose program runs elsewhere is in its journal.
            guard let journal = past.journal else { return SessionHistory(events: [], before: nil) }
            let tail = try await journal.tail(before: before ?? .max, count: limit, limit: Self.historyBytes)
            return SessionHistory(events: tail.events(of: id), before: tail.start)
        }
        let entry = try await entry(id)
        guard let journal = past.journal else {
            let events = entry.feed.events.filter { $0.seq < before ?? .max }.suffix(limit)
            let older = events.first.map { first in entry.feed.events.contains { $0.seq < first.seq } } ?? false
            return SessionHistory(events: Array(events), before: older ? events.first?.seq : nil)
        }
        let tail = try await journal.tail(before: before ?? .max, count: limit, limit: Self.historyBytes)
        var (events, start) = (tail.events(of: id), tail.start)
        // What is above belongs to the stream: memory may know what the journal is about to have.
        let through = before.map { $0 - 1 } ?? max(events.last?.seq ?? 0, entry.floor)
        var above = start.map { $0 - 1 } ?? 0
        // What the supervisor numbered itself, while no worker was there to log it.
        while above < through {
            let transitions = try await stored { [above] () async throws(RegistryError) in
                try await registry.transitions(of: id, above: above, through: through)
            }
            let own = transitions.compactMap { transition in
                transition.seq.flatMap { SessionEvent(transition, seq: $0) }
            }
            events = Self.merge(events, own)
            guard transitions.count == SessionRegistry.mostTransitions, let last = transitions.last?.seq else { break }
            above = last
        }
        if events.count > limit {
            events = Array(events.suffix(limit))
            start = events.first?.seq
        }
        return SessionHistory(events: events, before: start)
    }
}
