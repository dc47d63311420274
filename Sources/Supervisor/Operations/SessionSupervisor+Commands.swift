import Logging
public import Registry
public import SessionCore
import WorkerControl

/// A permission that a session asks for.
public struct SessionPermission: Sendable {
    public var session: SessionID
    public var name: String?
    public var owner: String
    /// As `permission.requested` has it.
    public var data: JSONValue

    public init(session: SessionID, name: String?, owner: String, data: JSONValue) {
        self.session = session
        self.name = name
        self.owner = owner
        self.data = data
    }
}

extension SessionSupervisor {
    /// A worker that asks the program has this long, and then a moment to say that the program does not answer.
    private static let commandLimit = Duration.seconds(20)

    /// One command for the session's program. A prompt wakes a session that is parked; nothing else does.
    public func command(
        _ id: SessionID, _ command: SessionCommand, by principal: Principal
    ) async throws(SupervisorError) -> CommandOutcome {
        let record = try await visible(id, to: principal)
        let origin = CommandOrigin(
            principal: principal.name, access: principal.clientAccess, isAdmin: principal.role >= .admin)
        guard origin.mayGive(command) else {
            throw SupervisorError(
                .forbidden, "the role '\(principal.role.rawValue)' cannot do this with session \(id)")
        }
        let request = ControlCommand.session(command, origin)
        guard case .prompt = command else { return try await outcome(of: request, record) }
        // Under the lock: the reaper cannot park the session between the wake and the prompt.
        return try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            let reply = try await supervisor.ask(entry, request, wake: .input, actor: principal.name)
            guard case .outcome(let outcome) = reply else { throw Self.strange(request) }
            return outcome
        }
    }

    /// Every permission that is open and that the caller may answer, the oldest first. A worker that does not answer at
    /// once is left out.
    public func permissions(as principal: Principal) async throws(SupervisorError) -> [SessionPermission] {
        let origin = CommandOrigin(principal: principal.name, access: principal.clientAccess)
        guard origin.access != .view else { return [] }
        let asking = entries.values.filter {
            $0.record.lifecycle == .running && $0.status?.activity == .pending && principal.maySee($0.record)
        }
        let sources = asking.compactMap { entry in entry.connection.map { (entry.record, $0) } }
        let limit = configuration.statusLimit
        return await withTaskGroup(of: [SessionPermission].self) { group in
            for (record, connection) in sources {
                let request = ControlCommand.session(.permissions, origin)
                group.addTask {
                    guard case .outcome(.done(let data)) = try? await connection.send(request, within: limit) else {
                        return []
                    }
                    return (data["permissions"]?.array ?? []).map {
                        SessionPermission(session: record.id, name: record.name, owner: record.owner, data: $0)
                    }
                }
            }
            var all: [SessionPermission] = []
            for await some in group { all += some }
            return all.sorted { ($0.data["since"]?.string ?? "") < ($1.data["since"]?.string ?? "") }
        }
    }

    /// Ends the incarnation and starts the session in another kind: the conversation goes on. Only at rest.
    public func switchKind(
        _ id: SessionID, to kind: SessionKind, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            guard entry.record.kind != kind else { return supervisor.view(entry) }
            let runs = entry.record.lifecycle == .running
            if runs {
                await supervisor.refresh(entry, within: supervisor.configuration.replyLimit)
                guard entry.status?.activity == .idle, entry.status?.backgroundShell == false else {
                    throw SupervisorError(
                        .wrongState, "session \(id) is not idle: interrupt it, or wait until its turn is over")
                }
                await supervisor.tell(
                    entry, .sessionSwitched, ["kind": .string(kind.rawValue), "by": .string(principal.name)])
                try await supervisor.endIncarnation(
                    entry, to: .parked, reason: .requested, detail: "switched to \(kind.rawValue)",
                    actor: principal.name)
            }
            guard !entry.record.lifecycle.hasIncarnation else {
                throw SupervisorError(
                    .wrongState, "session \(id) is \(entry.record.lifecycle.rawValue): wait until it is done")
            }
            var changes = SessionChanges()
            changes.kind = kind
            let wanted = changes
            let now = supervisor.clock.now()
            let record = try await stored { () async throws(RegistryError) in
                try await supervisor.registry.update(id, wanted, at: now)
            }
            guard let record else { throw SupervisorError(.notFound, "there is no session \(id)") }
            entry.record = record
            supervisor.writeManifest(record)
            if runs { try await supervisor.startAgain(entry, actor: principal.name) }
            return supervisor.view(entry)
        }
    }

    /// Decisions that were made, the newest first; for admins of their tenant, and operators.
    public func audit(
        as principal: Principal, before: Int64?, limit: Int
    ) async throws(SupervisorError) -> [AuditRecord] {
        try await stored { () async throws(RegistryError) in
            try await registry.audit(visibleTo: principal, before: before, limit: limit)
        }
    }

    /// Keeps who answered a permission, whatever way the answer took. Who types in a terminal is not known.
    public func audit(_ event: SessionEvent, of record: SessionRecord) {
        let by: String
        switch event.data["via"]?.string.flatMap(PermissionLedger.Resolution.Way.init(rawValue:)) {
        case .policy, .timeout: by = "policy \(record.policy)"
        case .terminal: by = "terminal"
        case .client, nil:
            guard let name = event.data["by"]?.string else { return }
            by = name
        // Nobody answered: the session does not ask any more.
        case .session: return
        }
        let isForTenant = event.data["remember"]?.string == PermissionAnswer.Remember.tenant.rawValue
        let entry = AuditEntry(
            tenantID: record.tenantID, time: event.time, actor: by, action: "permission.answer", session: record.id,
            seq: event.seq, detail: event.data,
            rules: isForTenant ? (event.data["rules"]?.array ?? []).compactMap(\.string) : [])
        Task {
            do throws(RegistryError) { try await registry.audit(entry) } catch {
                logger.error(
                    "an answer is not in the audit", metadata: ["session": "\(record.id)", "error": "\(error)"])
            }
        }
    }

    private func outcome(
        of request: ControlCommand, _ record: SessionRecord
    ) async throws(SupervisorError) -> CommandOutcome {
        guard record.lifecycle.hasIncarnation, let connection = entries[record.id]?.connection else {
            throw notRunning(record, wake: nil)
        }
        let reply: ControlReply
        do { reply = try await connection.send(request, within: Self.commandLimit) } catch {
            throw SupervisorError(worker: error)
        }
        switch reply {
        case .outcome(let outcome): return outcome
        case .refused(let code, let detail): throw SupervisorError(refusal: code, detail)
        default: throw Self.strange(request)
        }
    }
}
