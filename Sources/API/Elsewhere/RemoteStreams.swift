import Foundation
import Registry
import SessionCore
import Supervisor

/// Structured sessions whose programs run elsewhere, by the ids under which those dial in.
actor RemoteStreams {
    /// Of one user, that are not over.
    private static let mostOfOne = 100
    /// How long one that is over, or that does not come back, is still shown.
    private static let memory: TimeInterval = 3600

    private var streams: [SessionID: RemoteStream] = [:]
    private var watchers: [Int: (principal: Principal, events: AsyncStream<SessionEvent>.Continuation)] = [:]
    private var nextWatcher = 0
    /// What sessions say, in its order.
    private let said: AsyncStream<(SessionEvent, Principal)>
    private let say: AsyncStream<(SessionEvent, Principal)>.Continuation
    private var pump: Task<Void, Never>?

    init() {
        (said, say) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8192))
    }

    deinit { pump?.cancel() }

    /// The session of an id, made if there is none.
    func open(_ id: SessionID, for owner: Principal) async throws(Problem) -> RemoteStream {
        await sweep()
        if let known = streams[id] {
            guard known.owner.tenantID == owner.tenantID, known.owner.userID == owner.userID else {
                throw Problem.notFound("the session \(id)")
            }
            guard await known.isOver else { return known }
            // A program that was started again tells its record anew.
            await known.close()
        }
        let own = streams.values.count { $0.owner.userID == owner.userID }
        guard own < Self.mostOfOne else {
            throw Problem(429, "too_many", "a user has at most \(Self.mostOfOne) sessions elsewhere")
        }
        if pump == nil {
            pump = Task { [weak self, said] in
                for await (event, owner) in said { await self?.tell(event, owner) }
            }
        }
        let stream = RemoteStream(id, owner: owner) { [say] event in say.yield((event, owner)) }
        streams[id] = stream
        return stream
    }

    private func sweep() async {
        for (id, stream) in streams where await Date().timeIntervalSince(stream.idleSince) > Self.memory {
            let view = await stream.view
            guard view.record.lifecycle != .running else { continue }
            await stream.close()
            if streams[id] === stream { streams[id] = nil }
        }
    }

    func stream(_ id: SessionID, as principal: Principal) -> RemoteStream? {
        streams[id].flatMap { principal.maySee($0) ? $0 : nil }
    }

    func all(as principal: Principal) -> [RemoteStream] { streams.values.filter { principal.maySee($0) } }

    func remove(_ id: SessionID) async { await streams.removeValue(forKey: id)?.close() }

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

    private func tell(_ event: SessionEvent, _ owner: Principal) {
        for (number, watcher) in watchers where watcher.principal.maySee(tenant: owner.tenantID, owner: owner.userID) {
            if case .dropped = watcher.events.yield(event) {
                watcher.events.finish()
                watchers[number] = nil
            }
        }
    }
}

extension Principal {
    fileprivate func maySee(_ stream: RemoteStream) -> Bool {
        maySee(tenant: stream.owner.tenantID, owner: stream.owner.userID)
    }

    /// The rule that sessions have. There are no share links to what runs elsewhere.
    fileprivate func maySee(tenant: Int64, owner: Int64) -> Bool {
        guard share == nil else { return false }
        return switch role {
        case .operator: true
        case .admin, .viewer, .approver: tenant == tenantID
        case .user: tenant == tenantID && owner == userID
        }
    }
}
