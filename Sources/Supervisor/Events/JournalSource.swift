import Foundation
import NIOPosix
public import SessionCore
import Synchronization

/// A session's journal for readers of the control plane: read on threads that may wait for the disk, in bounded steps.
public final class JournalSource: Sendable {
    private let reader: Mutex<JournalReader>
    /// Bytes of one step.
    public static let step = 256 * 1024

    /// - Throws: ``JournalError``; `system` with ENOENT for a session that has no journal.
    public init(path: String) throws(JournalError) { reader = Mutex(try JournalReader(path: path)) }

    /// About a step of the records above `since`.
    public func read(
        since: UInt64, kinds: LogKinds, limit: Int = JournalSource.step
    ) async throws(SupervisorError) -> JournalReading {
        try await run { reader throws(JournalError) in try reader.entries(since: since, kinds: kinds, limit: limit) }
    }

    /// The newest events below `before`.
    public func tail(before: UInt64, count: Int, limit: Int) async throws(SupervisorError) -> JournalTail {
        try await run { reader throws(JournalError) in
            try reader.tail(before: before, kinds: .events, count: count, limit: limit)
        }
    }

    /// The terminal's size at a record; nil before the first.
    public func size(at seq: UInt64) async throws(SupervisorError) -> TerminalSize? {
        try await run { reader throws(JournalError) in try reader.size(at: seq) }
    }

    /// Whether there was ever a terminal, of which something is kept.
    public func hasOutput() async throws(SupervisorError) -> Bool {
        var since: UInt64 = 0
        while true {
            let reading = try await read(since: since, kinds: .output, limit: 1)
            guard reading.entries.isEmpty else { return true }
            guard !reading.complete, reading.next > since else { return false }
            since = reading.next
        }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (JournalReader) throws(JournalError) -> Value
    ) async throws(SupervisorError) -> Value {
        do {
            return try await NIOThreadPool.singleton.runIfActive { try self.reader.withLock { try body($0) } }
        } catch let error as JournalError {
            throw SupervisorError(.unavailable, "\(error)")
        } catch {
            throw SupervisorError(.unavailable, "the journal was not read: \(error)")
        }
    }
}

extension JournalReading {
    /// The events that the outside sees, with a `gap` first where some are gone. Numbers rise strictly.
    public func events(of session: SessionID, after since: UInt64) -> [SessionEvent] {
        entries.events(of: session, after: since, gap)
    }
}

extension JournalTail {
    /// The events that the outside sees, with a `gap` first where some are gone. Numbers rise strictly.
    func events(of session: SessionID) -> [SessionEvent] {
        entries.events(of: session, after: start.map { $0 - 1 } ?? 0, gap)
    }
}

extension [JournalEntry] {
    fileprivate func events(of session: SessionID, after since: UInt64, _ gap: LogGap?) -> [SessionEvent] {
        let events = compactMap { $0.entry.event(of: session, incarnation: $0.incarnation) }
        guard let gap else { return events }
        let through = Swift.min(gap.through, (events.first?.seq ?? .max) - 1)
        let told = SessionEvent(
            seq: Swift.max(through, since), time: first?.time ?? .now, sessionID: session,
            incarnation: first?.incarnation ?? 1, type: .gap, data: gap.data)
        return [told] + events
    }
}
