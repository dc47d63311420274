import Dialects
import Foundation
import Registry
import SessionCore

/// Terminals that run elsewhere and dial in (seed-protocols 4): who is connected, what they say, and what they ask. Rows
/// are the registry's; what is here is connections and readers. What sessions here ask is told and answered beside it.
actor ClaudeRemoteHub {
    /// Seconds in which a CLI that lost its connection may come back to its session.
    static let grace: Duration = .seconds(60)
    /// Events that one reader may be behind, and that are kept for readers that come back.
    static let mostUnread = 1024
    private static let mostKept = 2000
    /// How long lines of output are gathered: a program that shows much must not keep the registry busy.
    private static let gathering = Duration.milliseconds(250)

    /// An event, and who may see it.
    struct Told: Sendable {
        var number: UInt64
        var event: ClaudeRemoteEvent
        var audience: Audience
    }

    /// Whose it is.
    enum Audience: Sendable {
        case device(DeviceRecord)
        case session(SessionRecord)
    }

    private struct Live {
        var connection: ClaudeRemoteConnection
        var device: DeviceRecord
        var lines: ClaudeRemoteLines
        /// The last numbered output.
        var received: UInt64?
        /// Lines that are not written down yet.
        var unwritten: [String] = []
    }

    private struct Reader {
        var principal: Principal
        var events: AsyncStream<Told>.Continuation
    }

    nonisolated let registry: SessionRegistry
    nonisolated let sessions: any SessionService
    /// Of sessions here.
    var permissions = OwnPermissions()
    private var gate = ClaudeRemoteGate()
    private var live: [Int64: Live] = [:]
    private var leaving: [Int64: Task<Void, Never>] = [:]
    private var readers: [Int: Reader] = [:]
    private var nextReader = 0
    private var kept: [Told] = []
    private var lastNumber: UInt64
    private var hasLookedBack = false

    init(registry: SessionRegistry, sessions: any SessionService) {
        self.registry = registry
        self.sessions = sessions
        // Above every number of an earlier supervisor, so that a reader's Last-Event-ID never hides what is new.
        lastNumber = UInt64(Date().timeIntervalSince1970 * 1000) << 8
    }

    // MARK: CLIs

    /// Finds the device of a proof.
    func admit(_ proof: ClaudeRemoteProof) async throws -> DeviceRecord {
        let devices = try await registry.allDevices()
        let candidates = devices.map { ClaudeRemoteDevice(id: $0.id, name: $0.name, secret: $0.secret) }
        let found = try gate.admit(proof, devices: candidates, at: Date().timeIntervalSince1970)
        guard let device = devices.first(where: { $0.id == found.id }) else { throw ClaudeRemoteGate.Refusal.unknown }
        try? await registry.sawDevice(device.id)
        return device
    }

    /// A CLI is here: with a session of its own, or with the one that it lost.
    func join(
        _ connection: ClaudeRemoteConnection, _ device: DeviceRecord, _ hello: ClaudeRemoteHello
    ) async throws -> RemoteSessionRecord {
        await lookBack()
        if let id = hello.session, let record = try await registry.openRemoteSession(id, device: device.id) {
            leaving.removeValue(forKey: id)?.cancel()
            let before = live[id]
            live[id] = Live(
                connection: connection, device: device, lines: before?.lines ?? ClaudeRemoteLines(),
                received: before?.received, unwritten: before?.unwritten ?? [])
            if let before { await before.connection.replace() }
            return record
        }
        let record = try await registry.startRemoteSession(
            device: device.id, directory: hello.directory, command: hello.command)
        live[record.id] = Live(connection: connection, device: device, lines: ClaudeRemoteLines())
        tell(.sessionStart(ClaudeRemoteSession(record)), device)
        return record
    }

    /// A connection ended without an exit: it may come back for a while.
    func left(_ connection: ClaudeRemoteConnection, _ id: Int64) {
        guard live[id]?.connection === connection else { return }
        endLater(id)
    }

    private func endLater(_ id: Int64) {
        leaving[id] = Task {
            try? await Task.sleep(for: Self.grace)
            guard !Task.isCancelled else { return }
            leaving[id] = nil
            await end(id, exitCode: nil)
        }
    }

    /// Sessions of an earlier supervisor: their CLIs may be on their way back.
    func lookBack() async {
        guard !hasLookedBack else { return }
        hasLookedBack = true
        let open = (try? await registry.unendedRemoteSessions()) ?? []
        for record in open where live[record.id] == nil { endLater(record.id) }
    }

    func end(_ id: Int64, exitCode: Int64?) async {
        var session = live.removeValue(forKey: id)
        leaving.removeValue(forKey: id)?.cancel()
        if let rest = session?.lines.finish() { session?.unwritten.append(rest) }
        try? await registry.appendOutput(id, session?.unwritten ?? [])
        guard let record = try? await registry.endRemoteSession(id, exitCode: exitCode) else { return }
        let device: DeviceRecord?
        if let session {
            device = session.device
        } else {
            device = try? await registry.allDevices().first { $0.id == record.deviceID }
        }
        if let device { tell(.sessionEnd(ClaudeRemoteSession(record)), device) }
    }

    func received(_ id: Int64) -> UInt64? { live[id]?.received }

    func output(_ id: Int64, _ text: String, seq: UInt64?) {
        guard var session = live[id] else { return }
        if let seq {
            guard seq > session.received ?? 0 else { return }
            session.received = seq
        }
        let lines = session.lines.feed(text)
        let isFirst = session.unwritten.isEmpty && !lines.isEmpty
        session.unwritten += lines
        if session.unwritten.count > SessionRegistry.mostOutputLines {
            session.unwritten.removeFirst(session.unwritten.count - SessionRegistry.mostOutputLines)
        }
        live[id] = session
        tell(.output(session: id, data: text, time: Date()), session.device)
        guard isFirst else { return }
        Task {
            try? await Task.sleep(for: Self.gathering)
            await writeDown(id)
        }
    }

    private func writeDown(_ id: Int64) async {
        guard let lines = live[id]?.unwritten, !lines.isEmpty else { return }
        live[id]?.unwritten = []
        try? await registry.appendOutput(id, lines)
    }

    func prompt(_ id: Int64, _ prompt: ClaudeRemotePromptText, device: DeviceRecord) async throws -> ClaudeRemotePrompt
    {
        let record = try await registry.addPrompt(
            session: id, text: prompt.text, approve: prompt.keys.approve, reject: prompt.keys.reject)
        let row = ClaudeRemotePrompt(record)
        tell(.prompt(row), device)
        return row
    }

    /// What a session asked was answered where it runs.
    func promptsClosed(_ id: Int64) async {
        guard let device = live[id]?.device else { return }
        for record in (try? await registry.closePrompts(session: id)) ?? [] {
            tell(.promptResponse(ClaudeRemotePrompt(record)), device)
        }
    }

    /// The device that shows a session, while it is connected.
    func device(of id: Int64) -> DeviceRecord? { live[id]?.device }

    var liveSessions: Set<Int64> { Set(live.keys).subtracting(leaving.keys) }

    // MARK: Answers

    /// Answers a prompt and types what that means.
    /// - Parameter keys: what is typed, from the prompt's row.
    func answer(
        _ record: PromptRecord, _ response: String, by principal: Principal, keys: String
    ) async throws -> ClaudeRemotePrompt {
        if record.response != nil { throw Self.answered(record) }
        guard let session = live[record.sessionID], leaving[record.sessionID] == nil else {
            throw Problem(410, "gone", "the session of prompt \(record.id) is not connected")
        }
        guard let (stored, isFirst) = try await registry.answerPrompt(record.id, response, by: principal.name) else {
            throw Problem.notFound("the prompt \(record.id)")
        }
        guard isFirst else { throw Self.answered(stored) }
        let prompt = ClaudeRemotePrompt(stored)
        tell(.promptResponse(prompt), session.device)
        try await session.connection.send(.input(keys))
        return prompt
    }

    private static func answered(_ record: PromptRecord) -> Problem {
        Problem(
            409, "already_answered", "the prompt \(record.id) was answered already",
            members: ["prompt": ClaudeRemotePrompt(record).json])
    }

    /// A device was removed: so is what it shows.
    func removed(device id: Int64) async {
        for (session, entry) in live where entry.device.id == id {
            live[session] = nil
            leaving.removeValue(forKey: session)?.cancel()
            await entry.connection.revoke()
        }
    }

    // MARK: Readers

    private func tell(_ event: ClaudeRemoteEvent, _ device: DeviceRecord) { tell(event, to: .device(device)) }

    func tell(_ event: ClaudeRemoteEvent, to audience: Audience) {
        lastNumber += 1
        let told = Told(number: lastNumber, event: event, audience: audience)
        kept.append(told)
        if kept.count > Self.mostKept + Self.mostKept / 4 { kept.removeFirst(kept.count - Self.mostKept) }
        for (number, reader) in readers where reader.principal.maySee(audience) {
            if case .dropped = reader.events.yield(told) {
                readers[number] = nil
                reader.events.finish()
            }
        }
    }

    /// Events after `since` that are still here, and those to come.
    func read(since: UInt64?, as principal: Principal) async -> (number: Int, events: AsyncStream<Told>) {
        await lookBack()
        await follow()
        let (stream, continuation) = AsyncStream.makeStream(
            of: Told.self, bufferingPolicy: .bufferingOldest(Self.mostUnread + Self.mostKept))
        if let since {
            for told in kept where told.number > since && principal.maySee(told.audience) {
                continuation.yield(told)
            }
        }
        nextReader += 1
        let number = nextReader
        readers[number] = Reader(principal: principal, events: continuation)
        // What was asked before anybody listened.
        if since == nil {
            for (prompt, record) in await openPermissions(as: principal) {
                continuation.yield(Told(number: lastNumber, event: .prompt(prompt), audience: .session(record)))
            }
        }
        return (number, stream)
    }

    func stopReading(_ number: Int) { readers.removeValue(forKey: number)?.events.finish() }
}

extension Principal {
    fileprivate func maySee(_ audience: ClaudeRemoteHub.Audience) -> Bool {
        switch audience {
        case .device(let device): maySee(device)
        case .session(let record): maySee(record)
        }
    }

    /// The same rule as for sessions.
    func maySee(_ device: DeviceRecord) -> Bool {
        switch role {
        case .operator: true
        case .admin, .viewer, .approver: device.tenantID == tenantID
        case .user: device.tenantID == tenantID && device.ownerID == userID
        }
    }
}

extension ClaudeRemoteSession {
    init(_ record: RemoteSessionRecord) {
        self.init(
            id: record.id, deviceID: record.deviceID, startedAt: record.startedAt, endedAt: record.endedAt,
            exitCode: record.exitCode, directory: record.directory, command: record.command)
    }
}

extension ClaudeRemotePrompt {
    init(_ record: PromptRecord) {
        self.init(
            id: record.id, sessionID: .remote(record.sessionID), createdAt: record.createdAt, text: record.text,
            response: record.response, respondedAt: record.respondedAt)
    }
}
