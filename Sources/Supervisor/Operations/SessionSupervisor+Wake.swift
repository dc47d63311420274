import Foundation
import Policy
public import Registry
public import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Types text into the session, waking it when parked. Returns the input's sequence number once it is logged.
    public func input(
        _ id: SessionID, text: String, clientID: String?, submit: Bool, by principal: Principal
    ) async throws(SupervisorError) -> UInt64 {
        let command = ControlCommand.input(text: text, clientID: clientID, submit: submit)
        // Under the lock: the reaper cannot park the session between the wake and the typing.
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            let reply = try await supervisor.ask(entry, command, wake: .input, actor: principal.name)
            guard case .accepted(let seq) = reply else { throw Self.strange(command) }
            return seq
        }
    }

    /// Hands one message of a foreign protocol to the session's worker and returns the dialect's answer, waking the
    /// session when parked.
    public func dialect(
        _ id: SessionID, name: String, message: JSONValue, by principal: Principal
    ) async throws(SupervisorError) -> JSONValue {
        let command = ControlCommand.dialect(name: name, message: message)
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            let reply = try await supervisor.ask(entry, command, wake: .input, actor: principal.name)
            guard case .message(let answer) = reply else { throw Self.strange(command) }
            return answer
        }
    }

    /// Path of the worker's client socket for a relayed WebSocket. With `wake` a parked session is started first
    /// (a stopped one is not: `wrongState`). Without it any caller that sees the session may look on.
    public func clientSocket(
        _ id: SessionID, wake: Bool, by principal: Principal
    ) async throws(SupervisorError) -> String {
        let path = "\(configuration.runtimeDirectory)/w/\(id)/\(WorkerSockets.client)"
        if let entry = entries[id], entry.isRenewing {
            // Its clients were sent away to come back: they find it running, or wait here until they do.
            _ = try await visible(id, to: principal)
            try await exclusively(id) { (_, _) async throws(SupervisorError) in }
        }
        guard wake else {
            let record = try await visible(id, to: principal)
            guard record.lifecycle == .running, entries[id]?.connection != nil else {
                throw notRunning(record, wake: nil)
            }
            return path
        }
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            _ = try await supervisor.awake(entry, wake: .attach, actor: principal.name)
            return path
        }
    }

    /// Cancels the running turn. Never wakes.
    public func interrupt(_ id: SessionID, by principal: Principal) async throws(SupervisorError) {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            _ = try await supervisor.ask(entry, .interrupt, wake: nil, actor: principal.name)
        }
    }

    // MARK: - Steps

    /// The session's worker, after starting a parked session when there is a reason that its policy lets wake it. The
    /// caller holds the lock.
    func awake(
        _ entry: SessionEntry, wake: WakeReason?, actor: String
    ) async throws(SupervisorError) -> WorkerConnection {
        // One that should run is only waiting for its turn.
        if let wake, entry.record.lifecycle == .parked,
            entry.record.desired == .running || policy(of: entry.record).idle.wakes.contains(wake)
        {
            try await startAgain(entry, actor: actor)
        }
        guard entry.record.lifecycle == .running else { throw notRunning(entry.record, wake: wake) }
        guard let connection = entry.connection else {
            throw SupervisorError(.unresponsive, "the worker of session \(entry.id) does not answer")
        }
        return connection
    }

    func ask(
        _ entry: SessionEntry, _ command: ControlCommand, wake: WakeReason?, actor: String
    ) async throws(SupervisorError) -> ControlReply {
        let connection = try await awake(entry, wake: wake, actor: actor)
        let reply: ControlReply
        do {
            reply = try await connection.send(command, within: configuration.replyLimit)
        } catch {
            if let failure = error as? WorkerConnectionError, case .unresponsive = failure { entry.unresponsive = true }
            throw SupervisorError(worker: error)
        }
        if case .refused(let code, let detail) = reply { throw SupervisorError(refusal: code, detail) }
        return reply
    }

    /// - Parameter wake: what did not wake it.
    func notRunning(_ record: SessionRecord, wake: WakeReason?) -> SupervisorError {
        let wakes = policy(of: record).idle.wakes
        let remedy =
            switch record.lifecycle {
            case .parked where record.desired == .running: "it is about to be started again: wait until it runs"
            case .parked:
                switch wake {
                case .some(let wake) where wakes.contains(wake): "try again"
                case .some(let wake): "resume it; under the policy '\(record.policy)' \(wake.rawValue) does not wake it"
                case nil: wakes.contains(.input) ? "resume it, or send it input" : "resume it"
                }
            case .stopped, .failed: "resume it first"
            case .queued, .starting, .running: "wait until it runs"
            case .parking, .stopping: "wait until it has ended, then resume it"
            case .deleted: "create another"
            }
        return SupervisorError(.wrongState, "session \(record.id) is \(record.lifecycle.rawValue): \(remedy)")
    }

    static func strange(_ command: ControlCommand) -> SupervisorError {
        SupervisorError(.unresponsive, "the worker answered '\(command.name)' with something else")
    }
}
