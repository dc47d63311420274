import Foundation
import Registry
import SessionCore
import Supervisor

/// The program's side: its connections, what it says, and its end.
extension RemoteStream {
    /// A connection that is lost for so long was not about to come back.
    private static let debounce = Duration.seconds(15)

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

    func accepted(_ prompt: String, _ seq: UInt64) -> CommandOutcome {
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

    func parkLater() {
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
}
