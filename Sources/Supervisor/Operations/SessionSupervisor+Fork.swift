import Foundation
import Logging
public import Registry
public import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Makes a session that begins as a copy of another: its files as they are, its conversation, and what it was made
    /// with, where `creation` says nothing else. The other is idle or does not run; it stands still while its files are
    /// copied, and goes on as it was.
    public func fork(
        _ id: SessionID, _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        guard phase == .running else { throw SupervisorError(.unavailable, "the supervisor is not running") }
        // Under its lock: it is not started, ended or deleted while its files are read.
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            try await supervisor.checkRest(entry)
            let parent = entry.record
            var asked = creation
            asked.kind = parent.kind
            asked.policy = parent.policy
            asked.size = parent.size
            asked.env = parent.environment.isEmpty ? nil : parent.environment
            asked.model = creation.model ?? parent.model
            asked.permissionMode = creation.permissionMode ?? parent.permissionMode
            asked.idleTimeout = parent.idleTimeout
            asked.maxLifetime = parent.maxLifetime
            var record = try supervisor.newRecord(asked, by: principal)
            // The files are of the image that they were made with.
            record.image = parent.image
            record.forkedFrom = id
            let body = try Self.canonical(asked) + Array(id.description.utf8)
            let key = idempotencyKey.map { IdempotencyKey(key: $0, body: body) }
            return try await supervisor.make(record, key, prompt: creation.prompt, by: principal)
        }
    }

    private func checkRest(_ entry: SessionEntry) async throws(SupervisorError) {
        let record = entry.record
        guard record.kind != .remote else {
            throw SupervisorError(.wrongState, "session \(entry.id) runs elsewhere, and so are its files")
        }
        guard record.lifecycle.hasIncarnation else { return }
        if record.lifecycle == .running { await refresh(entry, within: configuration.replyLimit) }
        guard record.lifecycle == .running, entry.status?.activity == .idle else {
            throw SupervisorError(
                .wrongState, "session \(entry.id) is not idle: interrupt it, or wait until its turn is over")
        }
    }

    /// The longest that a session stands still for a copy; what is copied later may be written meanwhile.
    private static let longestHold = 20.0

    /// Stops a running session's programs while its files are copied.
    /// - Returns: who is to be told of the end; nil: it does not run, or cannot be stopped.
    func hold(_ parent: SessionID) async -> WorkerConnection? {
        guard let entry = entries[parent], let connection = entry.connection else { return nil }
        do {
            let reply = try await connection.send(.hold(seconds: Self.longestHold), within: configuration.replyLimit)
            guard case .refused(let code, let detail) = reply else { return connection }
            logger.info(
                "a session runs on while its files are copied",
                metadata: ["session": "\(parent)", "why": "\(code): \(detail)"])
            return nil
        } catch {
            logger.info(
                "a session may run on while its files are copied",
                metadata: ["session": "\(parent)", "error": "\(error)"])
            return connection
        }
    }

    /// In the fork's own log: what it began with.
    func tellForked(_ entry: SessionEntry, from parent: SessionID, _ copied: CopiedFiles, actor: String) async {
        await tell(
            entry, .sessionForked,
            [
                "from": .string(parent.description), "by": .string(actor), "files": .integer(Int64(copied.files)),
                "bytes": .integer(Int64(clamping: copied.bytes)), "left": .integer(Int64(copied.left)),
                "at_rest": .bool(copied.atRest ?? false),
            ])
    }
}
