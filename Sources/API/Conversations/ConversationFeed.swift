import Dialects
import Foundation
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// What a dialect makes of a session's events.
protocol ConversationDialect: Sendable {
    associatedtype Told: Sendable
    mutating func apply(_ event: ConversationEvent) -> [Told]
    /// The session's state as it is, after its past was read: transitions that nobody logged are not in it.
    mutating func settle(lifecycle: Lifecycle, activity: Activity?)
}

extension ClaudeSocketSession: ConversationDialect {}
extension CompanionSession: ConversationDialect {}
extension AgentAPIConversation: ConversationDialect {}

/// One session in one dialect, followed once for all its clients: the past from the journal, then what happens.
///
/// The session need not exist yet. A client that does not keep up is let go past its bound, and neither the session nor
/// the others wait for it.
actor ConversationFeed<Dialect: ConversationDialect> {
    /// Messages that one client may be behind.
    static var mostUnread: Int { 1024 }
    /// Requests to the session that may wait.
    static var mostWaiting: Int { 200 }
    /// Without clients, after this time it is let go of.
    static var patience: TimeInterval { 300 }

    let id: SessionID
    private let sessions: any SessionService
    private var dialect: Dialect
    private var readers: [Int: Reader] = [:]
    private var nextReader = 0
    private var following: Task<Void, Never>?
    private var isReady = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var requests: [Request] = []
    private var isWorking = false
    private var lastUse = MonotonicTime.now
    private var isRetired = false

    private struct Reader {
        var messages: AsyncStream<Dialect.Told>.Continuation
        var fellBehind: @Sendable () -> Void
    }

    /// Something to be asked of the session, after what was asked before.
    private struct Request {
        var run: @Sendable () async throws -> Void
        var failed: @Sendable (String) async -> Void
    }

    /// What a client is told from now on, and its number.
    struct Attachment: Sendable {
        var number: Int
        var messages: AsyncStream<Dialect.Told>
    }

    init(_ id: SessionID, _ dialect: Dialect, sessions: any SessionService) {
        self.id = id
        self.dialect = dialect
        self.sessions = sessions
    }

    // MARK: Following the session

    /// Follows the session, once; returns when its past is known. Nothing happens while there is no such session.
    func follow(as principal: Principal) async {
        if following == nil { following = Task { await run(principal) } }
        guard !isReady else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func run(_ principal: Principal) async {
        do {
            try await catchUp(principal)
        } catch {
            // No such session, or no more: whoever asks for it tries again.
            following = nil
        }
        becomeReady()
        if following == nil { isReady = false }
    }

    private func catchUp(_ principal: Principal) async throws {
        var since: UInt64 = 0
        if let journal = try await sessions.past(id, as: principal).journal {
            while true {
                // One that cannot be read is a gap, which the events tell.
                guard let reading = try? await journal.read(since: since, kinds: .events) else { break }
                for event in reading.events(of: id, after: since) { tell(event) }
                since = max(since, reading.next)
                if reading.complete { break }
            }
        }
        let events = try await sessions.events(id, since: since, as: principal)
        let view = try await sessions.session(id, as: principal)
        var following = events.makeAsyncIterator()
        dialect.settle(lifecycle: view.record.lifecycle, activity: view.worker?.activity)
        becomeReady()
        while let event = await following.next(isolation: #isolation) { tell(event) }
        // The session was deleted, or the server ends.
        for reader in readers.values { reader.messages.finish() }
        readers = [:]
        isRetired = true
    }

    private func becomeReady() {
        isReady = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    private func tell(_ event: SessionEvent) {
        guard let event = ConversationEvent(event) else { return }
        for message in dialect.apply(event) { tell(message) }
    }

    private func tell(_ message: Dialect.Told) {
        for (number, reader) in readers {
            if case .dropped = reader.messages.yield(message) {
                readers[number] = nil
                reader.messages.finish()
                reader.fellBehind()
            }
        }
    }

    // MARK: Clients

    /// Joins a client: what it is told at once, and what it is told from then on.
    func attach<Value: Sendable>(
        fellBehind: @escaping @Sendable () -> Void, _ look: @Sendable (inout Dialect) -> Value
    ) -> (Value, Attachment) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Dialect.Told.self, bufferingPolicy: .bufferingOldest(Self.mostUnread))
        nextReader += 1
        readers[nextReader] = Reader(messages: continuation, fellBehind: fellBehind)
        lastUse = .now
        return (look(&dialect), Attachment(number: nextReader, messages: stream))
    }

    func detach(_ number: Int) {
        readers.removeValue(forKey: number)?.messages.finish()
        lastUse = .now
    }

    func read<Value: Sendable>(_ look: @Sendable (inout Dialect) -> Value) -> Value {
        lastUse = .now
        return look(&dialect)
    }

    /// Changes the dialect's state and tells every client what follows.
    func change(_ body: @Sendable (inout Dialect) -> [Dialect.Told]) {
        lastUse = .now
        for message in body(&dialect) { tell(message) }
    }

    var hasReaders: Bool { !readers.isEmpty }

    // MARK: Requests

    /// Asks something of the session once everything that was asked before is done.
    /// - Returns: false when too much waits.
    func request(
        _ run: @escaping @Sendable () async throws -> Void, failed: @escaping @Sendable (String) async -> Void
    ) -> Bool {
        guard requests.count < Self.mostWaiting else { return false }
        requests.append(Request(run: run, failed: failed))
        if !isWorking {
            isWorking = true
            Task { await work() }
        }
        return true
    }

    private func work() async {
        while !requests.isEmpty {
            let request = requests.removeFirst()
            do {
                try await request.run()
            } catch {
                await request.failed(Problem(any: error).detail)
            }
        }
        isWorking = false
    }

    // MARK: Letting go

    /// Notes that it is about to be used; false: it was let go of.
    func claim() -> Bool {
        lastUse = .now
        return !isRetired
    }

    /// Lets go of the session when nobody has used this for long.
    func retire(at now: MonotonicTime) -> Bool {
        guard !isRetired else { return true }
        guard readers.isEmpty, !isWorking, now.since(lastUse) > Self.patience else { return false }
        isRetired = true
        following?.cancel()
        return true
    }
}

/// The sessions that one dialect's clients talk to.
actor ConversationFeeds<Dialect: ConversationDialect> {
    private let sessions: any SessionService
    private let make: @Sendable (SessionID) -> Dialect
    private var feeds: [SessionID: ConversationFeed<Dialect>] = [:]
    private var lastSweep = MonotonicTime.now

    init(sessions: any SessionService, make: @escaping @Sendable (SessionID) -> Dialect) {
        self.sessions = sessions
        self.make = make
    }

    func feed(of id: SessionID) async -> ConversationFeed<Dialect> {
        await sweep()
        if let feed = feeds[id], await feed.claim() { return feed }
        // Another task may have been here meanwhile.
        if let feed = feeds[id], await feed.claim() { return feed }
        let feed = ConversationFeed(id, make(id), sessions: sessions)
        feeds[id] = feed
        return feed
    }

    /// Sessions with clients.
    func countWithReaders() async -> Int {
        var count = 0
        for feed in feeds.values where await feed.hasReaders { count += 1 }
        return count
    }

    private func sweep() async {
        let now = MonotonicTime.now
        guard now.since(lastSweep) > 60 else { return }
        lastSweep = now
        for (id, feed) in feeds where await feed.retire(at: now) {
            if feeds[id] === feed { feeds[id] = nil }
        }
    }
}
