import Foundation
import NIOCore
import NIOPosix
import Registry
import SessionCore
import Supervisor

/// Sessions whose programs run elsewhere, by the ids under which those dial in. All are in the registry; here are those that
/// somebody uses.
actor RemoteStreams {
    /// How long one that nobody uses stays in memory.
    private static let memory: TimeInterval = 600
    /// Their journals are read and written there.
    private static let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let sessions: any SessionService
    private var known: Set<SessionID>?
    private var streams: [SessionID: RemoteStream] = [:]
    private var watchers: [Int: (principal: Principal, events: AsyncStream<SessionEvent>.Continuation)] = [:]
    private var nextWatcher = 0
    /// What sessions say, in its order.
    private let said: AsyncStream<(SessionEvent, SessionRecord)>
    private let say: AsyncStream<(SessionEvent, SessionRecord)>.Continuation
    private var pump: Task<Void, Never>?
    private var lastSweep = Date()

    init(_ sessions: any SessionService) {
        self.sessions = sessions
        (said, say) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8192))
    }

    deinit { pump?.cancel() }

    /// Whether a session's program runs elsewhere.
    private func knows(_ id: SessionID) async throws(SupervisorError) -> Bool {
        if let known { return known.contains(id) }
        let found = try await sessions.sessionsElsewhere()
        if known == nil { known = found }
        return found.contains(id)
    }

    /// The session of an id, for its program; made if there is none.
    func open(_ id: SessionID, for owner: Principal) async throws -> RemoteStream {
        if try await knows(id) {
            let stream = try await load(id, as: owner)
            guard stream.origin.tenantID == owner.tenantID, stream.origin.ownerID == owner.userID else {
                throw Problem.notFound("the session \(id)")
            }
            return stream
        }
        let record = try await sessions.add(elsewhere: id, for: owner)
        known?.insert(id)
        return await stream(record)
    }

    /// The session as the caller may use it; nil when there is none of that id elsewhere.
    func stream(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> RemoteStream? {
        guard try await knows(id) else { return nil }
        return try await load(id, as: principal)
    }

    private func load(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> RemoteStream {
        if let stream = streams[id], principal.maySee(stream.origin) { return stream }
        let record = try await sessions.session(id, as: principal).record
        guard record.desired != .deleted else { throw SupervisorError(.notFound, "there is no session \(id)") }
        return await stream(record)
    }

    private func stream(_ record: SessionRecord) async -> RemoteStream {
        await sweep()
        let directory = await sessions.journal(elsewhere: record.id)
        if let stream = streams[record.id] { return stream }
        if pump == nil {
            pump = Task { [weak self, said] in
                for await (event, record) in said { await self?.tell(event, record) }
            }
        }
        let stream = RemoteStream(
            record, directory: directory, sessions: sessions, on: Self.loops.next()
        ) { [say] event in say.yield((event, record)) }
        streams[record.id] = stream
        return stream
    }

    private func sweep() async {
        guard Date().timeIntervalSince(lastSweep) > 60 else { return }
        lastSweep = Date()
        for (id, stream) in streams where await stream.retire(after: Self.memory) {
            if streams[id] === stream { streams[id] = nil }
        }
    }

    /// What is in memory of a session that the registry knows.
    func view(of record: SessionRecord) async -> SessionView? { await streams[record.id]?.view(of: record) }

    /// Those in memory that a caller may see.
    func all(as principal: Principal) -> [RemoteStream] { streams.values.filter { principal.maySee($0.origin) } }

    func close(_ id: SessionID) async { await streams.removeValue(forKey: id)?.close() }

    // MARK: Those that hear all

    func watch(as principal: Principal) -> AsyncStream<SessionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SessionEvent.self, bufferingPolicy: .bufferingOldest(4096))
        nextWatcher += 1
        let number = nextWatcher
        watchers[number] = (principal, continuation)
        continuation.onTermination = { [weak self] _ in Task { await self?.stopWatching(number) } }
        return stream
    }

    private func stopWatching(_ number: Int) { watchers[number] = nil }

    private func tell(_ event: SessionEvent, _ record: SessionRecord) {
        for (number, watcher) in watchers where watcher.principal.maySee(record) {
            if case .dropped = watcher.events.yield(event) {
                watcher.events.finish()
                watchers[number] = nil
            }
        }
    }
}
