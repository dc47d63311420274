import Foundation
import Logging
public import Registry
public import SessionCore

/// A session's past, for a caller that may see it.
public struct SessionPast: Sendable {
    public var record: SessionRecord
    /// nil: none of it was kept (made by an earlier version).
    public var journal: JournalSource?

    public init(record: SessionRecord, journal: JournalSource?) {
        self.record = record
        self.journal = journal
    }
}

extension SessionSupervisor {
    /// The session's journal, whatever state the session is in. Never wakes.
    public func past(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionPast {
        SessionPast(record: try await visible(id, to: principal), journal: try source(of: id))
    }

    /// The journal of a session; nil when it has none.
    private func source(of id: SessionID) throws(SupervisorError) -> JournalSource? {
        do throws(JournalError) {
            return try JournalSource(path: "\(configuration.stateDirectory)/journals/\(id)")
        } catch {
            if case .system(_, errno: ENOENT) = error { return nil }
            throw SupervisorError(.unavailable, "\(error)")
        }
    }

    /// The session's events above `since` (a `gap` first where some are gone), then live ones, until the session is
    /// deleted or the reader stops. Never wakes. A reader that falls behind gets a `gap`.
    public func events(
        _ id: SessionID, since: UInt64?, as principal: Principal
    ) async throws(SupervisorError) -> AsyncStream<SessionEvent> {
        _ = try await visible(id, to: principal)
        let entry = try await entry(id)
        guard let since, since < entry.floor, let journal = try source(of: id) else {
            return entry.feed.subscribe(since: since).stream()
        }
        return EventReplay(since: since) { since in
            await self.step(id, since: since, journal)
        }.stream()
    }

    /// One step from the past towards the present.
    private func step(_ id: SessionID, since: UInt64, _ journal: JournalSource) async -> EventReplay.Step {
        guard let entry = entries[id] else { return .over }
        let floor = entry.floor
        guard since < floor else { return .live(entry.feed.subscribe(since: since)) }
        do {
            let reading = try await journal.read(since: since, kinds: .events)
            // Where the journal ends short of what memory has, nothing more will come of it.
            var next = reading.complete ? max(reading.next, floor) : reading.next
            var events = reading.events(of: id, after: since)
            // What the supervisor numbered itself, while no worker was there to log it.
            let transitions = try await registry.transitions(of: id, above: since, through: next)
            if transitions.count == SessionRegistry.mostTransitions, let last = transitions.last?.seq {
                next = last
                events.removeAll { $0.seq > last }
            }
            let own = transitions.compactMap { transition in
                transition.seq.flatMap { SessionEvent(transition, seq: $0) }
            }
            return .page(Self.merge(events, own), next: next)
        } catch {
            logger.warning("a journal cannot be read", metadata: ["session": "\(id)", "error": "\(error)"])
            // What memory has, with a gap before it.
            let gap = SessionEvent(
                seq: floor, time: clock.now(), sessionID: id, incarnation: entry.record.incarnation, type: .gap,
                data: [
                    "after": .integer(Int64(clamping: since)), "through": .integer(Int64(clamping: floor)),
                    "reason": "journal_unreadable",
                ])
            return .page([gap], next: floor)
        }
    }

    /// Both by their numbers; of two with one number the first's.
    static func merge(_ first: [SessionEvent], _ second: [SessionEvent]) -> [SessionEvent] {
        guard !second.isEmpty else { return first }
        let known = Set(first.lazy.filter { $0.type != .gap }.map(\.seq))
        return (first + second.filter { !known.contains($0.seq) })
            .enumerated().sorted { ($0.element.seq, $0.offset) < ($1.element.seq, $1.offset) }.map(\.element)
    }
}

extension SessionEntry {
    /// Memory has every event above this number.
    var floor: UInt64 { feed.lastSequence == 0 ? record.lastSequence : feed.floor }
}
