import Crypto
import Foundation
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// What a client of `/ws/cli/{id}` takes.
protocol RemoteProgram: Sendable {
    func give(_ line: String, request: String, by: String) async throws
    /// Its session goes on on another connection, or is over.
    func leave() async
    /// It is asked to end the program.
    func end() async
}

/// A structured session whose program runs elsewhere: what it said and was given, who listens, and what waits for it. The
/// program's side keeps the record of it, so that a server that was restarted learns it anew.
actor RemoteStream {
    /// Events kept for whoever comes late.
    private static let mostKept = 4000
    private static let mostWaiting = 200
    /// What the program's side has to say that it has a line, and a program to answer.
    private static let patience = Duration.seconds(15)
    /// A connection that is lost for so long was not about to come back.
    private static let debounce = Duration.seconds(15)

    nonisolated let id: SessionID
    nonisolated let owner: Principal
    private let createdAt = Date()
    private var directory = ""
    private var session = RemoteSession()
    private var lifecycle = Lifecycle.starting
    private var events: [SessionEvent] = []
    /// Events through this number are gone.
    private var forgotten: UInt64 = 0
    private var readers: [Int: AsyncStream<SessionEvent>.Continuation] = [:]
    private var nextReader = 0
    private var program: (any RemoteProgram)?
    /// Its record is known here as far as it goes.
    private var isReady = false
    private var connection = 0
    private var held: [(request: String, line: String, by: String)] = []
    private var waiting: [String: CheckedContinuation<CommandOutcome, Never>] = [:]
    /// Permissions whose answer is on its way, and whose it is.
    private var answering: [String: String] = [:]
    private var lastActivity = Date()
    private let watch: @Sendable (SessionEvent) -> Void

    init(_ id: SessionID, owner: Principal, watch: @escaping @Sendable (SessionEvent) -> Void) {
        self.id = id
        self.owner = owner
        self.watch = watch
    }

    // MARK: The program

    /// The program is there.
    /// - Returns: the connection's number, and the last record that is known.
    func connect(_ program: any RemoteProgram, directory: String) async -> (number: Int, received: UInt64) {
        if let before = self.program { await before.leave() }
        connection += 1
        isReady = false
        self.program = program
        self.directory = directory
        return (connection, session.received)
    }

    /// It has said what it said before; what waits for it goes to it.
    func welcome(_ number: Int) async {
        guard number == connection, let program else { return }
        isReady = true
        if lifecycle != .running {
            lifecycle = .running
            tell(session.note(.sessionRunning, ["lifecycle": "running"], at: Date()))
        }
        let lines = held
        held = []
        for line in lines { try? await program.give(line.line, request: line.request, by: line.by) }
    }

    func take(_ record: RemoteRecord, from number: Int) {
        guard number == connection else { return }
        lastActivity = Date()
        let (told, answers) = session.apply(record)
        tell(told)
        for answer in answers {
            switch answer.result {
            case .success(let data): finish(answer.request, .done(data))
            case .failure(let failure): finish(answer.request, .failed(failure))
            }
        }
        guard let request = record.request, record.by != nil else { return }
        if answering.removeValue(forKey: request) != nil { finish(request, .done(["id": .string(request)])) }
        // A prompt: it is written down where it is done.
        if let seq = told.first(where: { $0.type == .inputAccepted })?.seq {
            finish(
                request,
                .done([
                    "seq": .integer(Int64(clamping: seq)), "prompt_id": .string(request),
                    "queued": .bool(session.engine.prompts.count > 1),
                ]))
        }
    }

    func pass(_ line: String, from number: Int) {
        guard number == connection else { return }
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
        Task {
            try? await Task.sleep(for: Self.debounce)
            gone(number)
        }
    }

    private func gone(_ number: Int) {
        guard number == connection, program == nil, lifecycle == .running else { return }
        lifecycle = .parked
        tell(
            session.note(.sessionParked, ["lifecycle": "parked", "detail": "its program is not connected"], at: Date()))
    }

    /// The program has ended.
    func exit(_ code: Int64?, from number: Int) {
        guard number == connection, lifecycle != .stopped else { return }
        lifecycle = .stopped
        program = nil
        var data: [String: JSONValue] = ["lifecycle": "stopped", "reason": "exited"]
        if let code { data["exit_code"] = .integer(code) }
        tell(session.note(.sessionStopped, .object(data), at: Date()))
        for request in waiting.keys {
            finish(request, .failed(CommandFailure("uncertain", "the program ended before it answered")))
        }
        answering = [:]
        held = []
    }

    /// Asks the program's side to end it.
    func end() async { await program?.end() }

    /// Nobody can reach it any more.
    func close() async {
        await program?.leave()
        program = nil
        connection += 1
        for reader in readers.values { reader.finish() }
        readers = [:]
    }

    // MARK: Readers

    private func tell(_ told: [RemoteSession.Told]) {
        for one in told {
            let event = SessionEvent(
                seq: one.seq, time: one.time, sessionID: id, incarnation: 1, type: one.type, data: one.data)
            events.append(event)
            if events.count > Self.mostKept + Self.mostKept / 4 {
                forgotten = events[events.count - Self.mostKept - 1].seq
                events.removeFirst(events.count - Self.mostKept)
            }
            for (number, reader) in readers {
                if case .dropped = reader.yield(event) {
                    reader.finish()
                    readers[number] = nil
                }
            }
            watch(event)
        }
    }

    func read(since: UInt64?) -> AsyncStream<SessionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SessionEvent.self, bufferingPolicy: .bufferingOldest(2 * Self.mostKept))
        if let since {
            if since < forgotten {
                continuation.yield(
                    SessionEvent(
                        seq: forgotten, time: Date(), sessionID: id, incarnation: 1, type: .gap,
                        data: ["through": .integer(Int64(clamping: forgotten))]))
            }
            for event in events where event.seq > since { continuation.yield(event) }
        }
        nextReader += 1
        let number = nextReader
        readers[number] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.stopReading(number) } }
        return stream
    }

    private func stopReading(_ number: Int) { readers[number] = nil }

    var permissions: [JSONValue] { session.permissions.open.map(\.data) }

    var isOver: Bool { lifecycle == .stopped }
    var idleSince: Date { lastActivity }

    // MARK: Commands

    func command(_ command: SessionCommand, by principal: Principal) async -> CommandOutcome {
        switch command {
        case .permissions: return .done(["permissions": .array(permissions)])
        case .state: return .done(standing)
        case .prompt(_, _, let clientID): return await ask(command, promptID(clientID), principal)
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

    private var standing: JSONValue {
        let view = session.engine.view
        return [
            "kind": "remote", "lifecycle": .string(lifecycle.rawValue), "activity": .string(view.activity.rawValue),
            "permissions": .array(permissions), "settings": .object(session.engine.settings),
            "queued": .array(
                session.engine.prompts.filter { !$0.isBegun }.map {
                    ["prompt_id": .string($0.id), "text": EventText.cut($0.text), "by": .string($0.by)]
                }), "seq": .integer(Int64(clamping: session.lastSequence)),
        ]
    }

    var view: SessionView {
        let settings = session.engine.settings
        let record = SessionRecord(
            id: id, tenantID: owner.tenantID, tenant: "", ownerID: owner.userID, owner: owner.name,
            name: settings["title"]?.string ?? directory, kind: .remote, lifecycle: lifecycle,
            desired: lifecycle == .stopped ? .stopped : .running, reason: lifecycle == .stopped ? .exited : nil,
            detail: nil, incarnation: 1, uidSlot: 0, policy: "", image: "", size: .standard,
            model: settings["model"]?.string, permissionMode: settings["permission_mode"]?.string, environment: [:],
            labels: [:], pinned: false, idleTimeout: nil, maxLifetime: nil, createdAt: createdAt,
            updatedAt: lastActivity, startedAt: createdAt, lastActivityAt: lastActivity,
            lastSequence: events.last?.seq ?? 0, workerPID: nil, workerStartTime: nil, limits: [], cgroups: [:])
        return SessionView(
            record: record, worker: status, unresponsive: lifecycle == .running && program == nil, parksAt: nil)
    }

    private var status: WorkerStatus? {
        guard lifecycle == .running else { return nil }
        let activity = session.engine.view.activity
        return WorkerStatus(
            activity: activity, activitySince: lastActivity, activitySource: "stream", backgroundShell: false,
            lastInput: nil, lastOutput: lastActivity, clients: [], lastSequence: session.lastSequence, size: .standard,
            transcriptPath: nil)
    }
}
