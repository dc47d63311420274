import Foundation
import Policy
public import Registry
public import SessionCore
public import WorkerControl

extension SessionSupervisor {
    public func list(
        _ filter: SessionFilter, as principal: Principal
    ) async throws(SupervisorError) -> SessionPage {
        var query = SessionQuery(
            lifecycle: filter.lifecycle, labelKey: filter.label?.key, labelValue: filter.label?.value,
            limit: filter.limit, cursor: filter.cursor)
        if let activity = filter.activity {
            query.ids = Set(entries.values.filter { $0.status?.activity == activity }.map(\.id))
        }
        let asked = query
        let (items, next) = try await stored { () async throws(RegistryError) in
            try await registry.sessions(asked, visibleTo: principal)
        }
        return SessionPage(items: items.map { view($0) }, nextCursor: next)
    }

    public func session(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionView {
        let record = try await visible(id, to: principal)
        if record.lifecycle.hasIncarnation, let entry = entries[id] {
            await refresh(entry, within: configuration.statusLimit)
        }
        return view(record)
    }

    public func update(
        _ id: SessionID, _ patch: SessionPatch, by principal: Principal
    ) async throws(SupervisorError) -> SessionView {
        try await change(id, by: principal) { (supervisor, entry) async throws(SupervisorError) in
            let policy = supervisor.policy(of: entry.record)
            try Self.check(name: patch.name, labels: patch.labels)
            try Self.check(patch.idleTimeout, patch.maxLifetime, policy: policy)
            var changes = SessionChanges()
            changes.name = patch.name
            changes.labels = patch.labels.map { entry.record.own(labels: $0) }
            changes.pinned = patch.pinned
            changes.idleTimeout = patch.idleTimeout
            changes.maxLifetime = patch.maxLifetime
            let wanted = changes
            let now = supervisor.clock.now()
            let record = try await stored { () async throws(RegistryError) in
                try await supervisor.registry.update(id, wanted, at: now)
            }
            guard let record else { throw SupervisorError(.notFound, "there is no session \(id)") }
            entry.record = record
            supervisor.writeManifest(record)
            return supervisor.view(entry)
        }
    }

    /// The screen now. Never wakes: `wrongState` when nothing runs, or when the session's kind has no screen.
    public func screen(
        _ id: SessionID, format: ScreenFormat, as principal: Principal
    ) async throws(SupervisorError) -> ScreenContent {
        let record = try await visible(id, to: principal)
        guard record.kind != .structured else { throw .noScreen(id) }
        guard record.lifecycle.hasIncarnation, let connection = entries[id]?.connection else {
            throw notRunning(record, wake: nil)
        }
        let reply: ControlReply
        do { reply = try await connection.send(.screen(format), within: configuration.replyLimit) } catch {
            throw SupervisorError(worker: error)
        }
        switch reply {
        case .screen(let content): return content
        case .refused(let code, let detail): throw SupervisorError(refusal: code, detail)
        default: throw Self.strange(.screen(format))
        }
    }

    /// Live events of every session the caller may see, from now on.
    public func events(as principal: Principal) async -> AsyncStream<SessionEvent> {
        let mailbox = EventMailbox()
        if phase == .stopping {
            mailbox.finish()
        } else {
            watchers.append(Watcher(principal: principal, mailbox: mailbox))
        }
        return mailbox.stream()
    }

    public func idle(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> IdleReport {
        let record = try await visible(id, to: principal)
        if record.lifecycle == .running, let entry = entries[id] {
            await refresh(entry, within: configuration.statusLimit)
            if let rule = rule(entry, record) {
                return rule.report(now: clock.monotonic(), date: clock.now())
            }
        }
        let age = max(0, clock.now().timeIntervalSince(record.lastActivityAt))
        return IdleReport(
            idleTimeout: timeout(record) ?? TimeSpan(milliseconds: 0),
            signals: [
                IdleReport.Signal(
                    name: "lifecycle", value: record.lifecycle.rawValue,
                    ageSeconds: max(0, clock.now().timeIntervalSince(record.updatedAt)), source: "registry",
                    keepsAwake: false),
                IdleReport.Signal(
                    name: "last_activity", value: record.lastActivityAt.formatted(.rookery), ageSeconds: age,
                    source: "registry", keepsAwake: false),
            ], rule: "Nothing runs, so nothing is parked.", warnsAt: nil, parksAt: nil)
    }

    public func stats(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> SessionStats {
        let record = try await visible(id, to: principal)
        guard record.lifecycle.hasIncarnation else { throw notRunning(record, wake: nil) }
        return CgroupReader(directories: record.cgroups).stats()
    }

    public func readiness() async -> Readiness {
        var checks: [String: String] = [:]
        do throws(RegistryError) {
            try await registry.probe()
            checks["registry"] = registryFault ?? "ok"
        } catch {
            checks["registry"] = "\(error)"
        }
        checks["launcher"] = launcher.outage.map { "gone: \($0)" } ?? "ok"
        checks["gateway"] =
            FileManager.default.fileExists(atPath: configuration.gatewaySocket)
            ? "ok" : "\(configuration.gatewaySocket) is not there"
        checks["capacity"] = "ok"
        if phase != .running { checks["supervisor"] = phase == .created ? "starting" : "stopping" }
        let ready = checks.values.allSatisfy { $0 == "ok" }
        // A full box is ready: what runs goes on, and may be talked to.
        if admission.isFull(without: Set(pool.spares.keys)) { checks["capacity"] = "full" }
        if let recovery { checks["recovery"] = recovery.summary }
        // For an operator's eye: what became of the sessions when this supervisor started.
        checks["adoption"] = adoption?.summary
        if let unowned = adoption?.unowned, !unowned.isEmpty {
            checks["unowned"] = "data of \(unowned.count) sessions that the registry does not know: see /v1/recovery"
        }
        return Readiness(ready: ready, checks: checks)
    }

    // MARK: - Views

    func view(_ entry: SessionEntry) -> SessionView { view(entry.record) }

    func view(_ record: SessionRecord) -> SessionView {
        guard record.lifecycle.hasIncarnation, let entry = entries[record.id] else {
            return SessionView(record: record, worker: nil, unresponsive: false, parksAt: nil)
        }
        var record = record
        if let status = entry.status {
            record.lastSequence = max(record.lastSequence, entry.lastSequence)
            record.size = status.size
            record.lastActivityAt =
                [record.lastActivityAt, status.activitySince, status.lastInput ?? .distantPast].max()
                ?? record.lastActivityAt
        }
        var view = SessionView(
            record: record, worker: entry.unresponsive ? nil : entry.status, unresponsive: entry.unresponsive,
            parksAt: parksAt(entry))
        view.draining = isDraining(entry)
        return view
    }

    func parksAt(_ entry: SessionEntry) -> Date? {
        guard entry.record.lifecycle == .running else { return nil }
        return (rule(entry)?.deadline?.at).map { date(of: $0) }
    }

    func timeout(_ record: SessionRecord) -> TimeSpan? {
        record.idleTimeout ?? configuration.idleTimeout ?? policy(of: record).idle.timeout
    }

    /// - Parameter record: the registry's, where the caller has it anew.
    func rule(_ entry: SessionEntry, _ record: SessionRecord? = nil) -> IdleRule? {
        guard let status = entry.status, let times = entry.times else { return nil }
        let record = record ?? entry.record
        let policy = policy(of: record)
        return IdleRule(
            timeout: timeout(record), warning: policy.idle.warning,
            maxLifetime: record.maxLifetime ?? policy.idle.maxLifetime, freezeAfter: policy.idle.freezeAfter,
            pinned: record.pinned, times: times, status: status)
    }

    /// What a clock on the wall shows, or will show, at a moment if nobody sets it.
    func date(of time: MonotonicTime) -> Date { clock.now().addingTimeInterval(time.since(clock.monotonic())) }
}
