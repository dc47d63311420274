import Foundation
import Glibc
import NIOCore
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// A structured session whose program runs elsewhere: its journal, who reads it, and what waits for its program.
///
/// The program's side keeps the record of what was said either way and the journal what follows from it, by numbers that are
/// the same however often a record comes. So a server that was killed is told all again, and writes what it did not have.
actor RemoteStream {
    /// Prompts that are known to have been given.
    private static let mostGiven = 1000
    static let limits = JournalLimits(bytes: 32 << 20)

    nonisolated let id: SessionID
    /// As it was when this was made: whose it is does not change.
    nonisolated let origin: SessionRecord
    private let loop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
    let directory: String
    let sessions: any SessionService
    private let watch: @Sendable (SessionEvent) -> Void

    var log: Journal?
    var run = RemoteRun()
    var session = RemoteSession()
    /// Running while its program is connected.
    var lifecycle: Lifecycle
    /// The log says so too.
    var isToldParked = false
    var bells: [Int: AsyncStream<Void>.Continuation] = [:]
    var storing: [Int: CheckedContinuation<Void, Never>] = [:]
    var number = 0
    var program: (any RemoteProgram)?
    /// Its record is known here as far as it goes.
    var isReady = false
    var connection = 0
    var held: [(request: String, line: String, by: String)] = []
    var waiting: [String: CheckedContinuation<CommandOutcome, Never>] = [:]
    /// Permissions whose answer is on its way, and whose it is.
    var answering: [String: String] = [:]
    /// The numbers under which prompts were written down, by their names, and those in their order.
    var given: [String: UInt64] = [:]
    private var order: [String] = []
    var lastActivity: Date
    var lastUse = Date()
    var isRetired = false
    var hasName: Bool

    init(
        _ record: SessionRecord, directory: String, sessions: any SessionService, on loop: any EventLoop,
        watch: @escaping @Sendable (SessionEvent) -> Void
    ) {
        id = record.id
        origin = record
        lifecycle = record.lifecycle
        lastActivity = record.lastActivityAt
        hasName = record.name != nil
        self.directory = directory
        self.sessions = sessions
        self.loop = loop
        self.watch = watch
    }

    // MARK: The journal

    /// Takes up the session where its journal ends. Blocks for as long as the reading takes.
    func open() throws {
        guard log == nil else { return }
        guard !isRetired else { throw SupervisorError(.unavailable, "session \(id) is being put away: try again") }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        run = try RemoteRun.last(in: directory) ?? RemoteRun()
        let log = try journal()
        self.log = log
        session = RemoteSession(base: run.base)
        switch log.events(since: max(log.lastSequence, 1) - 1, limit: 1).events.last?.type {
        case .sessionStopped:
            guard lifecycle != .stopped else { break }
            // The registry was not told before this server was killed.
            lifecycle = .stopped
            let change = ElsewhereChange(to: .stopped, reason: .exited, lastSequence: log.lastSequence)
            Task { [sessions, id] in _ = try? await sessions.note(elsewhere: id, change) }
        case .sessionParked, nil: isToldParked = true
        // Its program was there when this server was killed.
        default: parkLater()
        }
    }

    func journal() throws -> Journal {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw SupervisorError(.storage, "the session's journal \(directory): \(String(cString: strerror(errno)))")
        }
        defer { Glibc.close(descriptor) }
        var options = Journal.Options(
            sessionID: id, incarnation: run.incarnation, firstSequence: 1, outputLimit: 0, limits: Self.limits)
        options.recordLimit = 512
        options.keepsNumbers = true
        return try Journal(options, directory: descriptor, on: loop)
    }

    /// Once all that was told is on the disk.
    func stored() async {
        guard let log else { return }
        number += 1
        let number = number
        await withCheckedContinuation { continuation in
            storing[number] = continuation
            log.whenStored(through: log.lastSequence) { self.storing.removeValue(forKey: number)?.resume() }
        }
    }

    /// What follows on a number; nil: the log is closed.
    func page(after since: UInt64) -> (events: [SessionEvent], next: UInt64)? {
        guard let log else { return nil }
        let page = log.events(since: since, limit: JournalSource.step)
        return (page.events, page.next)
    }

    func read(since: UInt64?) throws -> AsyncStream<SessionEvent> {
        lastUse = Date()
        try open()
        let (bell, ring) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        number += 1
        let number = number
        bells[number] = ring
        ring.onTermination = { [weak self] _ in Task { await self?.stopReading(number) } }
        let reader = RemoteReader(self, since: since ?? log?.lastSequence ?? 0, bell: bell)
        return AsyncStream { await reader.next() }
    }

    private func stopReading(_ number: Int) { bells[number] = nil }

    /// Where it stands, and all that comes after `since`, or after that.
    func follow(since: UInt64?) throws -> (standing: JSONValue, seq: UInt64, events: AsyncStream<SessionEvent>) {
        let events = try read(since: since)
        return (standing, log?.lastSequence ?? 0, events)
    }

    /// Writes down what is new of it.
    func tell(_ told: [RemoteSession.Told]) {
        guard let log else { return }
        for one in told {
            if one.type == .inputAccepted, let prompt = one.data["prompt_id"]?.string { learn(prompt, one.seq) }
            if one.type == .permissionResolved {
                // Kept once, however often it is told: it may not have been when this server was killed.
                let event = SessionEvent(
                    seq: one.seq, time: one.time, sessionID: id, incarnation: run.incarnation, type: one.type,
                    data: one.data)
                Task { [sessions, origin] in await sessions.audit(event, of: origin) }
            }
            guard one.seq > log.lastSequence else { continue }
            log.advance(to: one.seq - 1)
            do throws(LogStall) {
                watch(try log.append(event: one.type, data: one.data, at: one.time))
            } catch { return startOver() }
            if one.type == .sessionSettings, let title = one.data["title"]?.string { rename(title) }
        }
        for bell in bells.values { bell.yield() }
    }

    /// Something that no record says.
    func note(_ type: EventType, _ data: JSONValue) {
        session.advance(to: log?.lastSequence ?? 0)
        isToldParked = type == .sessionParked
        tell(session.note(type, data, at: Date()))
    }

    /// The disk takes nothing: the program's side tells all again until it does.
    private func startOver() {
        let lost = program
        program = nil
        isReady = false
        connection += 1
        session = RemoteSession(base: run.base)
        if lifecycle == .running { lifecycle = .parked }
        Task { await lost?.leave("the server's disk takes nothing now") }
    }

    private func learn(_ prompt: String, _ seq: UInt64) {
        guard given.updateValue(seq, forKey: prompt) == nil else { return }
        order.append(prompt)
        if order.count > Self.mostGiven { given[order.removeFirst()] = nil }
    }

    private func rename(_ title: String) {
        var change = ElsewhereChange(lastSequence: log?.lastSequence ?? 0)
        change.changes.name = VisibleText.of(String(title.prefix(100)))
        let named = change
        Task { [sessions, id] in _ = try? await sessions.note(elsewhere: id, named) }
    }
}
