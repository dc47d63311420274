import Foundation
import Registry
import SessionCore
import Supervisor

/// A page of a session's conversation: messages and tools, oldest first, from its journal.
struct Transcript: Sendable {
    static let types: Set<EventType> = [
        .messageUser, .messageAssistant, .messageThinking, .toolStarted, .toolCompleted, .turnStarted, .turnCompleted,
        .permissionRequested, .permissionResolved, .gap,
    ]
    /// Bytes of events that are looked at for one page: a page may be short, and its cursor goes on.
    private static let mostSteps = 64

    let past: SessionPast
    let limit: Int

    /// - Parameter cursor: the number of the last item that the caller has; 0 for the beginning.
    func page(after cursor: UInt64) async throws -> PageDocument<SessionEvent> {
        guard let journal = past.journal else { return PageDocument(items: [], nextCursor: nil) }
        var items: [SessionEvent] = []
        var since = cursor
        for _ in 0..<Self.mostSteps {
            let reading = try await journal.read(since: since, kinds: .events)
            let found = reading.events(of: past.record.id, after: since).filter { Self.types.contains($0.type) }
            if items.count + found.count > limit {
                items += found.prefix(limit - items.count)
                return PageDocument(items: items, nextCursor: String(items.last?.seq ?? since))
            }
            items += found
            since = reading.next
            if reading.complete { return PageDocument(items: items, nextCursor: nil) }
        }
        return PageDocument(items: items, nextCursor: String(since))
    }
}
