import Foundation
import Policy
import Registry
import SessionCore
import Supervisor
import WorkerControl

/// The control plane with the sessions whose programs run elsewhere beside its own: to whoever asks they are sessions.
struct SessionsElsewhere: SessionService {
    let base: any SessionService
    let streams: RemoteStreams

    /// What only a session with a worker can do.
    private static func refusal(_ id: SessionID) -> SupervisorError {
        SupervisorError(.wrongState, "session \(id) runs elsewhere: that is not to be had of it here")
    }

    private func refuse(_ id: SessionID, _ principal: Principal) async throws(SupervisorError) {
        guard try await streams.stream(id, as: principal) == nil else { throw Self.refusal(id) }
    }

    // MARK: What both have

    func list(_ filter: SessionFilter, as principal: Principal) async throws(SupervisorError) -> SessionPage {
        var page = try await base.list(filter, as: principal)
        var items: [SessionView] = []
        // What the registry does not know comes first: it takes all of them for parked.
        if filter.cursor == nil, filter.label == nil, filter.lifecycle == .running || filter.activity != nil {
            for stream in await streams.all(as: principal) {
                // It may be deleted by now.
                guard let view = try? await session(stream.id, as: principal) else { continue }
                if view.record.kind == .remote, filter.includes(view) { items.append(view) }
            }
            items.sort { $0.record.createdAt > $1.record.createdAt }
        }
        for item in page.items {
            guard item.record.kind == .remote, let view = await streams.view(of: item.record) else {
                items.append(item)
                continue
            }
            if filter.includes(view) { items.append(view) }
        }
        page.items = items
        return page
    }

    func session(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionView {
        let view = try await base.session(id, as: principal)
        guard view.record.kind == .remote else { return view }
        return await streams.view(of: view.record) ?? view
    }

    func command(
        _ id: SessionID, _ command: SessionCommand, by principal: Principal
    ) async throws(SupervisorError) -> CommandOutcome {
        guard let stream = try await streams.stream(id, as: principal) else {
            return try await base.command(id, command, by: principal)
        }
        let origin = CommandOrigin(principal: principal.name, access: principal.clientAccess)
        guard origin.mayGive(command) else {
            throw SupervisorError(
                .forbidden, "the role '\(principal.role.rawValue)' cannot do this with session \(id)")
        }
        return await stream.command(command, by: principal)
    }

    func input(
        _ id: SessionID, text: String, clientID: String?, submit: Bool, by principal: Principal
    ) async throws(SupervisorError) -> UInt64 {
        guard try await streams.stream(id, as: principal) != nil else {
            return try await base.input(id, text: text, clientID: clientID, submit: submit, by: principal)
        }
        guard submit else { throw Self.refusal(id) }
        switch try await command(id, .prompt(text: text, images: [], clientID: clientID), by: principal) {
        case .done(let data): return UInt64(clamping: data["seq"]?.integer ?? 0)
        case .failed(let failure): throw SupervisorError(.wrongState, failure.detail)
        }
    }

    func interrupt(_ id: SessionID, by principal: Principal) async throws(SupervisorError) {
        guard try await streams.stream(id, as: principal) != nil else {
            return try await base.interrupt(id, by: principal)
        }
        _ = try await command(id, .interrupt, by: principal)
    }

    func permissions(as principal: Principal) async throws(SupervisorError) -> [SessionPermission] {
        var all = try await base.permissions(as: principal)
        guard principal.clientAccess != .view else { return all }
        for stream in await streams.all(as: principal) {
            let permissions = await stream.permissions
            guard !permissions.isEmpty else { continue }
            guard let record = try? await base.session(stream.id, as: principal).record else { continue }
            all += permissions.map {
                SessionPermission(session: stream.id, name: record.name, owner: stream.origin.owner, data: $0)
            }
        }
        return all.sorted { ($0.data["since"]?.string ?? "") < ($1.data["since"]?.string ?? "") }
    }

    func events(
        _ id: SessionID, since: UInt64?, as principal: Principal
    ) async throws(SupervisorError) -> AsyncStream<SessionEvent> {
        guard let stream = try await streams.stream(id, as: principal) else {
            return try await base.events(id, since: since, as: principal)
        }
        return try await done { try await stream.read(since: since) }
    }

    func events(as principal: Principal) async -> AsyncStream<SessionEvent> {
        let (merged, continuation) = AsyncStream.makeStream(
            of: SessionEvent.self, bufferingPolicy: .bufferingOldest(8192))
        let own = await base.events(as: principal)
        let elsewhere = await streams.watch(as: principal)
        let others = Task { for await event in elsewhere { continuation.yield(event) } }
        let pump = Task {
            for await event in own { continuation.yield(event) }
            others.cancel()
            continuation.finish()
        }
        continuation.onTermination = { _ in
            pump.cancel()
            others.cancel()
        }
        return merged
    }

    func history(
        _ id: SessionID, before: UInt64?, limit: Int, as principal: Principal
    ) async throws(SupervisorError) -> SessionHistory {
        try await base.history(id, before: before, limit: limit, as: principal)
    }

    func past(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionPast {
        try await base.past(id, as: principal)
    }

    func update(
        _ id: SessionID, _ patch: SessionPatch, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        let view = try await base.update(id, patch, by: principal)
        return await streams.view(of: view.record) ?? view
    }

    func stop(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        guard let stream = try await changeable(id, principal) else { return try await base.stop(id, by: principal) }
        try await done { try await stream.stop(by: principal.name) }
        return try await session(id, as: principal)
    }

    func delete(_ id: SessionID, keepWorkspace: Bool, by principal: Principal) async throws(SupervisorError) {
        if let stream = try await changeable(id, principal) {
            await stream.dismiss()
            await streams.close(id)
        }
        try await base.delete(id, keepWorkspace: keepWorkspace, by: principal)
        // Its program may have come back meanwhile.
        await streams.close(id)
    }

    /// What goes wrong with a journal is nobody's fault who asks.
    private func done<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws(SupervisorError) -> Value {
        do { return try await body() } catch let error as SupervisorError { throw error } catch {
            throw SupervisorError(.unavailable, "\(error)")
        }
    }

    private func changeable(
        _ id: SessionID, _ principal: Principal
    ) async throws(SupervisorError) -> RemoteStream? {
        guard let stream = try await streams.stream(id, as: principal) else { return nil }
        guard principal.role >= .user else {
            throw SupervisorError(.forbidden, "the role '\(principal.role.rawValue)' cannot end session \(id)")
        }
        return stream
    }

    // MARK: What only sessions here have

    func create(
        _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        return try await base.create(creation, idempotencyKey: idempotencyKey, by: principal)
    }

    func park(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try await refuse(id, principal)
        return try await base.park(id, by: principal)
    }

    func resume(_ id: SessionID, by principal: Principal) async throws(SupervisorError) -> SessionView {
        try await refuse(id, principal)
        return try await base.resume(id, by: principal)
    }

    func switchKind(
        _ id: SessionID, to kind: SessionKind, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try await refuse(id, principal)
        return try await base.switchKind(id, to: kind, by: principal)
    }

    func fork(
        _ id: SessionID, _ creation: SessionCreation, idempotencyKey: String?, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try await refuse(id, principal)
        return try await base.fork(id, creation, idempotencyKey: idempotencyKey, by: principal)
    }

    func screen(
        _ id: SessionID, format: ScreenFormat, as principal: Principal
    ) async throws(SupervisorError) -> ScreenContent {
        try await refuse(id, principal)
        return try await base.screen(id, format: format, as: principal)
    }

    func idle(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> IdleReport {
        try await refuse(id, principal)
        return try await base.idle(id, as: principal)
    }

    func egress(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> EgressView {
        try await refuse(id, principal)
        return try await base.egress(id, as: principal)
    }

    func stats(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionStats {
        try await refuse(id, principal)
        return try await base.stats(id, as: principal)
    }

    func dialect(
        _ id: SessionID, name: String, message: JSONValue, by principal: Principal
    ) async throws(SupervisorError) -> JSONValue {
        try await refuse(id, principal)
        return try await base.dialect(id, name: name, message: message, by: principal)
    }

    func clientSocket(
        _ id: SessionID, wake: Bool, by principal: Principal
    ) async throws(SupervisorError) -> String {
        try await refuse(id, principal)
        return try await base.clientSocket(id, wake: wake, by: principal)
    }

    func upload(
        _ id: SessionID, name: String, content: Data, by principal: Principal
    ) async throws(SupervisorError) -> String {
        try await refuse(id, principal)
        return try await base.upload(id, name: name, content: content, by: principal)
    }

    // MARK: What is no session's

    func sessionsElsewhere() async throws(SupervisorError) -> Set<SessionID> { try await base.sessionsElsewhere() }

    func add(elsewhere id: SessionID, for principal: Principal) async throws(SupervisorError) -> SessionRecord {
        try await base.add(elsewhere: id, for: principal)
    }

    func note(elsewhere id: SessionID, _ change: ElsewhereChange) async throws(SupervisorError) -> SessionRecord {
        try await base.note(elsewhere: id, change)
    }

    func journal(elsewhere id: SessionID) async -> String { await base.journal(elsewhere: id) }

    func audit(_ event: SessionEvent, of record: SessionRecord) async { await base.audit(event, of: record) }

    func audit(
        as principal: Principal, before: Int64?, limit: Int
    ) async throws(SupervisorError) -> [AuditRecord] {
        try await base.audit(as: principal, before: before, limit: limit)
    }

    func credentialChanged(_ name: CredentialName, reason: String) async {
        await base.credentialChanged(name, reason: reason)
    }

    func images(as principal: Principal) async -> [ImageView] { await base.images(as: principal) }
    func policies() async -> PolicyStore { await base.policies() }
    func readiness() async -> Readiness { await base.readiness() }
    func adoptionReport() async -> AdoptionReport? { await base.adoptionReport() }

    func spareReport() async -> SpareReport { await base.spareReport() }

    func upgrade(
        workers renewal: WorkerRenewal, replacesSupervisor: Bool, by principal: Principal
    ) async throws(SupervisorError) {
        try await base.upgrade(workers: renewal, replacesSupervisor: replacesSupervisor, by: principal)
    }

    func upgradeReport() async -> UpgradeReport { await base.upgradeReport() }
}

extension SessionFilter {
    /// Whether a session that is not here is asked for too.
    fileprivate func includes(_ view: SessionView) -> Bool {
        (lifecycle == nil || view.record.lifecycle == lifecycle)
            && (activity == nil || view.worker?.activity == activity)
    }
}
