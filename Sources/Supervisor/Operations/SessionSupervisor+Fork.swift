import Foundation
public import Registry
public import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Makes a session that begins as a copy of another: its files as they are, its conversation, and what it was made
    /// with, where `creation` says nothing else. The other is at rest, and is left as it is.
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
        guard record.kind == .structured else {
            throw SupervisorError(
                .wrongState, "session \(entry.id) is not structured: switch it to structured first, then fork it")
        }
        guard record.lifecycle.hasIncarnation else { return }
        if record.lifecycle == .running { await refresh(entry, within: configuration.replyLimit) }
        guard record.lifecycle == .running, entry.status?.activity == .idle else {
            throw SupervisorError(
                .wrongState, "session \(entry.id) is not idle: interrupt it, or wait until its turn is over")
        }
    }

    /// In the fork's own log: what it began with.
    func tellForked(_ entry: SessionEntry, from parent: SessionID, _ copied: CopiedFiles, actor: String) async {
        await tell(
            entry, .sessionForked,
            [
                "from": .string(parent.description), "by": .string(actor), "files": .integer(Int64(copied.files)),
                "bytes": .integer(Int64(clamping: copied.bytes)), "left": .integer(Int64(copied.left)),
            ])
    }
}
