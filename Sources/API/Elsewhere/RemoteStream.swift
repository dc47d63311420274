import Crypto
import Foundation
import Glibc
import NIOCore
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// What a client of `/ws/cli/{id}` takes.
protocol RemoteProgram: Sendable {
    func give(_ line: String, request: String, by: String) async throws
    /// Its session goes on on another connection, or is over.
    func leave(_ reason: String) async
    /// It is asked to end the program.
    func end() async
}

/// A structured session whose program runs elsewhere: its journal, who reads it, and what waits for its program.
///
/// The program's side keeps the record of what was said either way and the journal what follows from it, by numbers that are
/// the same however often a record comes. So a server that was killed is told all again, and writes what it did not have.
actor RemoteStream {
    private static let mostWaiting = 200
    /// What the program's side has to say that it has a line, and a program to answer.
    private static let patience = Duration.seconds(15)
    /// A connection that is lost for so long was not about to come back.
    private static let debounce = Duration.seconds(15)
    /// Prompts that are known to have been given.
    private static let mostGiven = 1000
    static let limits = JournalLimits(bytes: 32 << 20)

    nonisolated let id: SessionID
    /// As it was when this was made: whose it is does not change.
    nonisolated let origin: SessionRecord
    private let loop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }
    private let directory: String
    private let sessions: any SessionService
    private let watch: @Sendable (SessionEvent) -> Void

    private var log: Journal?
    private var run = RemoteRun()
    private var session = RemoteSession()
    /// Running while its program is connected.
    private var lifecycle: Lifecycle
    /// The log says so too.
    private var isToldParked = false
    private var bells: [Int: AsyncStream<Void>.Continuation] = [:]
    private var storing: [Int: CheckedContinuation<Void, Never>] = [:]
    private var number = 0
    private var program: (any RemoteProgram)?
    /// Its record is known here as far as it goes.
    private var isReady = false
    private var connection = 0
    private var held: [(request: String, line: String, by: String)] = []
    private var waiting: [String: CheckedContinuation<CommandOutcome, Never>] = [:]
    /// Permissions whose answer is on its way, and whose it is.
    private var answering: [String: String] = [:]
    /// The numbers under which prompts were written down, by their names, and those in their order.
    private var given: [String: UInt64] = [:]
    private var order: [String] = []
    private var lastActivity: Date
    private var lastUse = Date()
    private var isRetired = false
    private var hasName: Bool

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

    private func journal() throws -> Journal {
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
    private func stored() async {
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
    private func tell(_ told: [RemoteSession.Told]) {
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
    private func note(_ type: EventType, _ data: JSONValue) {
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

    // MARK: The program

    /// The program is there.
    /// - Parameters:
    ///   - name: of its life, where it has one: another life's records begin anew.
    ///   - numbersRecords: and tells again what is not known here.
    /// - Returns: the connection's number, and the last record that is known, and on the disk.
    func connect(
        _ program: any RemoteProgram, directory: String, run name: String?, numbersRecords: Bool
    ) async throws -> (number: Int, received: UInt64) {
        connection += 1
        let number = connection
        let before = self.program
        self.program = program
        isReady = false
        await before?.leave("the session continues on another connection")
        try open()
        var change = ElsewhereChange(lastSequence: log?.lastSequence ?? 0)
        if !hasName, !directory.isEmpty { change.changes.name = String(directory.suffix(100)) }
        let isFirst = try RemoteRun.last(in: self.directory) == nil
        // Who does not say which life it is in is in another one after the end.
        let name = name ?? ""
        if !isFirst, run.name != name || (name.isEmpty && lifecycle == .stopped) {
            try begin(name)
            change.to = .parked
        } else if isFirst {
            run.name = name
            try run.write(to: self.directory)
        } else if lifecycle == .stopped {
            // It comes back to be told so.
            session = RemoteSession(base: run.base)
        }
        // What it said before is not said again.
        if !numbersRecords { session.skip(to: log?.lastSequence ?? 0) }
        change.changes.incarnation = run.incarnation
        hasName = try await sessions.note(elsewhere: id, change).name != nil
        await stored()
        guard number == connection else { throw SupervisorError(.wrongState, "another connection took its place") }
        return (number, session.received)
    }

    /// Another life: what the one before had not finished will not be.
    private func begin(_ name: String) throws {
        session.advance(to: log?.lastSequence ?? 0)
        if lifecycle != .stopped { tell(session.end(log?.recovery, at: Date())) }
        run = RemoteRun(name: name, base: log?.lastSequence ?? 0, incarnation: run.incarnation + 1)
        try run.write(to: directory)
        log?.abandon()
        log = nil
        log = try journal()
        session = RemoteSession(base: run.base)
        lifecycle = .parked
    }

    /// It has said what it said before; what waits for it goes to it.
    func welcome(_ number: Int) async {
        guard number == connection, let program else { return }
        isReady = true
        session.advance(to: log?.lastSequence ?? 0)
        // It was stopped while it was away.
        guard lifecycle != .stopped else { return await program.end() }
        if lifecycle != .running {
            lifecycle = .running
            note(.sessionRunning, ["lifecycle": "running"])
        }
        let lines = held
        held = []
        for line in lines {
            if let seq = given[line.request] {
                acknowledge(line.request, accepted(line.request, seq))
            } else {
                try? await program.give(line.line, request: line.request, by: line.by)
            }
        }
    }

    func take(_ record: RemoteRecord, from number: Int) {
        guard number == connection else { return }
        lastActivity = Date()
        let (told, answers) = session.apply(record)
        tell(told)
        guard number == connection else { return }
        for answer in answers {
            switch answer.result {
            case .success(let data): acknowledge(answer.request, .done(data))
            case .failure(let failure): acknowledge(answer.request, .failed(failure))
            }
        }
        guard let request = record.request, record.by != nil else { return }
        if answering.removeValue(forKey: request) != nil { acknowledge(request, .done(["id": .string(request)])) }
        if let seq = told.first(where: { $0.type == .inputAccepted })?.seq {
            acknowledge(request, accepted(request, seq))
        }
    }

    private func accepted(_ prompt: String, _ seq: UInt64) -> CommandOutcome {
        .done([
            "seq": .integer(Int64(clamping: seq)), "prompt_id": .string(prompt),
            "queued": .bool(session.engine.prompts.count > 1),
        ])
    }

    func pass(_ line: String, from number: Int) {
        guard number == connection else { return }
        session.advance(to: log?.lastSequence ?? 0)
        tell(session.pass(line, at: Date()))
    }

    /// The program's side did not give it a line: somebody there was first.
    func refuse(_ request: String, from number: Int) {
        guard number == connection else { return }
        answering[request] = nil
        finish(request, .failed(CommandFailure("already_answered", "it was answered where the program runs")))
    }

    /// A line of a program that numbers nothing itself, or for it.
    func add(_ line: String, by: String? = nil, request: String? = nil, from number: Int) {
        take(
            RemoteRecord(number: session.received + 1, time: Date(), by: by, request: request, line: line),
            from: number)
    }

    func lost(_ number: Int) {
        guard number == connection else { return }
        program = nil
        isReady = false
        parkLater()
    }

    private func parkLater() {
        let number = connection
        Task {
            try? await Task.sleep(for: Self.debounce)
            gone(number)
        }
    }

    private func gone(_ number: Int) {
        guard number == connection, program == nil, lifecycle != .stopped, !isToldParked, log != nil else { return }
        lifecycle = .parked
        note(.sessionParked, ["lifecycle": "parked", "detail": "its program is not connected"])
        var change = ElsewhereChange(lastSequence: log?.lastSequence ?? 0)
        change.changes.lastActivityAt = lastActivity
        let parked = change
        Task { [sessions, id] in _ = try? await sessions.note(elsewhere: id, parked) }
    }

    /// The program has ended: durable when it returns.
    func exit(_ code: Int64?, from number: Int) async throws {
        guard number == connection else { throw SupervisorError(.wrongState, "another connection took its place") }
        var data: [String: JSONValue] = ["lifecycle": "stopped", "reason": "exited"]
        if let code { data["exit_code"] = .integer(code) }
        try await end(data, .exited)
    }

    private func end(_ data: [String: JSONValue], _ reason: Reason) async throws {
        if lifecycle != .stopped {
            lifecycle = .stopped
            session.advance(to: log?.lastSequence ?? 0)
            tell(session.end(log?.recovery, at: Date()))
            note(.sessionStopped, .object(data))
            guard log?.stall == nil else {
                lifecycle = .parked
                throw SupervisorError(.storage, "the disk takes nothing now")
            }
            for request in waiting.keys {
                finish(request, .failed(CommandFailure("uncertain", "the program ended before it answered")))
            }
            answering = [:]
            held = []
        }
        await stored()
        var change = ElsewhereChange(to: .stopped, reason: reason, lastSequence: log?.lastSequence ?? 0)
        change.changes.lastActivityAt = lastActivity
        _ = try await sessions.note(elsewhere: id, change)
    }

    /// Asks the program's side to end it, if it is there.
    func dismiss() async { await program?.end() }

    /// The same; without one, that is the end.
    func stop(by name: String) async throws {
        if let program { return await program.end() }
        try open()
        try await end(["lifecycle": "stopped", "reason": "requested", "by": .string(name)], .requested)
    }

    /// Nobody can reach it any more.
    func close() async {
        connection += 1
        let last = program
        program = nil
        for bell in bells.values { bell.finish() }
        bells = [:]
        for request in waiting.keys {
            finish(request, .failed(CommandFailure("uncertain", "the session was closed before the program answered")))
        }
        if log?.stall == nil { await stored() }
        log?.abandon()
        log = nil
        for continuation in storing.values { continuation.resume() }
        storing = [:]
        await last?.leave("the session is over")
    }

    /// Closes it for good when nobody has used it for so long; another takes its place.
    func retire(after age: TimeInterval) async -> Bool {
        guard program == nil, bells.isEmpty, waiting.isEmpty, Date().timeIntervalSince(lastUse) > age else {
            return false
        }
        isRetired = true
        await close()
        return true
    }

    // MARK: Commands

    func command(_ command: SessionCommand, by principal: Principal) async -> CommandOutcome {
        lastUse = Date()
        switch command {
        case .permissions: return .done(["permissions": .array(permissions)])
        case .state: return .done(standing)
        case .prompt(_, _, let clientID):
            let name = promptID(clientID)
            if let seq = given[name] {
                await stored()
                return accepted(name, seq)
            }
            return await ask(command, name, principal)
        case .answer(let answer):
            do throws(CommandFailure) {
                let question = try session.permissions.question(for: answer)
                if let first = answering[question.id] {
                    throw CommandFailure("already_answered", "\(first) was first", data: ["by": .string(first)])
                }
                guard answer.remember != .tenant else {
                    throw CommandFailure("not_allowed", "a session elsewhere decides nothing for the tenant")
                }
                answering[question.id] = principal.name
                return await ask(command, question.id, principal, question)
            } catch {
                return .failed(error)
            }
        default: return await ask(command, "rookery-\(UUID().uuidString.lowercased())", principal)
        }
    }

    /// Gives the program a line and waits for what comes of it.
    private func ask(
        _ command: SessionCommand, _ request: String, _ principal: Principal,
        _ question: PermissionLedger.Question? = nil
    ) async -> CommandOutcome {
        guard lifecycle != .stopped else {
            return .failed(CommandFailure("session_over", "the session's program has ended"))
        }
        guard waiting.count < Self.mostWaiting, waiting[request] == nil else {
            return .failed(CommandFailure("input_backlog", "too much waits for the session's program"))
        }
        guard let line = RemoteRequest.line(for: command, id: request, question: question),
            line.utf8.count <= RemoteRecord.largestLine
        else { return .failed(CommandFailure("input_too_large", "this cannot be sent to the session's program")) }
        let program = isReady ? program : nil
        if program == nil { held.append((request, line, principal.name)) }
        let deadline = Task {
            try? await Task.sleep(for: Self.patience)
            if !Task.isCancelled { expire(request) }
        }
        defer { deadline.cancel() }
        return await withCheckedContinuation { continuation in
            waiting[request] = continuation
            guard let program else { return }
            Task { try? await program.give(line, request: request, by: principal.name) }
        }
    }

    private func expire(_ request: String) {
        answering[request] = nil
        if let index = held.firstIndex(where: { $0.request == request }) {
            held.remove(at: index)
            return finish(
                request, .failed(CommandFailure("not_connected", "the session's program is not connected: try later")))
        }
        finish(
            request,
            .failed(
                CommandFailure("uncertain", "the program did not answer in time: it may have done it, or may do it")))
    }

    /// Tells whoever waits for it, once what it says is on the disk.
    private func acknowledge(_ request: String, _ outcome: CommandOutcome) {
        guard let log, waiting[request] != nil else { return }
        log.whenStored(through: log.lastSequence) { self.finish(request, outcome) }
    }

    private func finish(_ request: String, _ outcome: CommandOutcome) {
        waiting.removeValue(forKey: request)?.resume(returning: outcome)
    }

    /// The same of a client's own name is the same prompt, which the program takes once.
    private func promptID(_ clientID: String?) -> String {
        guard let clientID else { return UUID().uuidString.lowercased() }
        var bytes = Array(SHA256.hash(data: Data("\(id)/\(clientID)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let uuid = bytes.withUnsafeBytes { $0.loadUnaligned(as: uuid_t.self) }
        return UUID(uuid: uuid).uuidString.lowercased()
    }

    // MARK: What it looks like

    var permissions: [JSONValue] { session.permissions.open.map(\.data) }

    private var standing: JSONValue {
        let view = session.engine.view
        return [
            "kind": "remote", "lifecycle": .string(lifecycle.rawValue), "activity": .string(view.activity.rawValue),
            "permissions": .array(permissions), "settings": .object(session.engine.settings),
            "queued": .array(
                session.engine.prompts.filter { !$0.isBegun }.map {
                    ["prompt_id": .string($0.id), "text": EventText.cut($0.text), "by": .string($0.by)]
                }), "seq": .integer(Int64(clamping: log?.lastSequence ?? 0)),
        ]
    }

    /// The registry's record with what is known here.
    func view(of record: SessionRecord) -> SessionView {
        var record = record
        let settings = session.engine.settings
        record.lifecycle = lifecycle
        record.model = settings["model"]?.string
        record.permissionMode = settings["permission_mode"]?.string
        record.lastActivityAt = max(record.lastActivityAt, lastActivity)
        record.lastSequence = max(record.lastSequence, log?.lastSequence ?? 0)
        return SessionView(
            record: record, worker: status, unresponsive: lifecycle == .running && program == nil, parksAt: nil)
    }

    private var status: WorkerStatus? {
        guard lifecycle == .running else { return nil }
        let activity = session.engine.view.activity
        return WorkerStatus(
            activity: activity, activitySince: lastActivity, activitySource: "stream", backgroundShell: false,
            lastInput: nil, lastOutput: lastActivity, clients: [], lastSequence: log?.lastSequence ?? 0,
            size: .standard, transcriptPath: nil)
    }
}
