import ClaudeCode
import Foundation
import Logging
import NIOCore
import Policy
import Registry
import SessionCore
import WorkerControl

extension SessionSupervisor {
    /// Starts the incarnation of a session that is `starting`, connects to its worker and marks it running. The
    /// caller holds the session's lock and its place in the admission.
    /// - Parameter spare: what the session begins with, if it is to be had.
    /// - Throws: after which no process of the incarnation is left.
    func launch(
        _ entry: SessionEntry, with spare: Spare? = nil, actor: String
    ) async throws(SupervisorError) {
        if let spare, try await claim(spare, for: entry, actor: actor) { return }
        let tenant = entry.record.tenantID
        let remembered = try await stored { () async throws(RegistryError) in
            try await registry.rules(ofTenant: tenant)
        }
        let request = try launchRequest(
            entry.record, firstSequence: entry.lastSequence + 1, allowing: remembered)
        let reply: LauncherReply
        do throws(LauncherError) {
            reply = try await launch(request, isFirst: entry.record.startedAt == nil)
        } catch {
            // It may have started all the same.
            await clean(entry.id)
            throw SupervisorError(error)
        }
        switch reply {
        case .launched(let launched):
            do throws(SupervisorError) {
                try await welcome(entry, launched, actor: actor)
            } catch {
                await disconnect(entry)
                await clean(entry.id)
                throw error
            }
        case .failed(let failure): throw SupervisorError(failure)
        case .done, .swept, .capabilities, .memoryKills, .inventory:
            throw SupervisorError(.launchFailed, "the launcher answered a launch with something else")
        }
    }

    /// How long a launch may take that copies another session's files first.
    private static let copyLimit = Duration.seconds(600)

    /// - Parameter isFirst: the session has never run: what it is to begin with is copied now.
    private func launch(_ request: LaunchRequest, isFirst: Bool) async throws(LauncherError) -> LauncherReply {
        guard let parent = request.filesOf else {
            return try await launcher.send(.launch(request), within: configuration.launchLimit)
        }
        let held = isFirst ? await hold(parent) : nil
        let result: Result<LauncherReply, LauncherError>
        do throws(LauncherError) {
            result = .success(try await launcher.send(.launch(request), within: Self.copyLimit))
        } catch { result = .failure(error) }
        // Not waited for: should it not arrive, the worker's own time ends.
        if let held { Task { _ = try? await held.send(.release, within: configuration.replyLimit) } }
        return try result.get()
    }

    /// The incarnation runs: takes up its worker, and tells.
    func welcome(
        _ entry: SessionEntry, _ launched: LaunchedSession, actor: String
    ) async throws(SupervisorError) {
        let connection: WorkerConnection
        do {
            connection = try await connect(entry.id, incarnation: entry.record.incarnation)
        } catch {
            throw SupervisorError(
                .launchFailed, "the session's worker was started and cannot be reached: \(error)",
                launchFailure: LaunchFailure(
                    step: "worker", errno: 0, message: "\(error)",
                    remedy: "see what the worker wrote to the supervisor's log"))
        }
        var changes = SessionChanges()
        changes.worker = (connection.hello.pid, connection.hello.startTime)
        changes.limits = launched.limits
        changes.cgroups = launched.cgroups
        changes.startedAt = clock.now()
        changes.lastActivityAt = clock.now()
        let running = try await commit(
            entry,
            SessionTransition(
                from: [.starting], incarnation: entry.record.incarnation, to: .running, actor: actor,
                takesNumber: false, time: clock.now(), changes: changes))
        guard running != nil else {
            await connection.close()
            throw SupervisorError(.wrongState, "session \(entry.id) is not what it was when it was started")
        }
        adopt(entry, connection, since: entry.feed.lastSequence)
        await tell(entry, .sessionRunning, ["lifecycle": "running", "by": .string(actor)])
        if !launched.limits.isEmpty { await tell(entry, .sessionLimits, Self.limits(launched.limits)) }
        if let parent = entry.record.forkedFrom, let copied = launched.copied {
            await tellForked(entry, from: parent, copied, actor: actor)
        }
    }

    /// Every limit as asked and as it holds, and the names of those that do not hold.
    private static func limits(_ limits: [EnforcedLimit]) -> [String: JSONValue] {
        let all = limits.map { limit in
            var entry: [String: JSONValue] = [
                "name": .string(limit.name), "asked": .string(limit.asked), "by": .string(limit.by),
                "enforced": limit.enforced.map { .string($0) } ?? .null,
            ]
            if let note = limit.note { entry["note"] = .string(note) }
            return JSONValue.object(entry)
        }
        // A limit that the policy does not set is not one that fails to hold.
        let short = limits.filter { $0.enforced == nil && $0.asked != "none" }
        return ["limits": .array(all), "not_enforced": .array(short.map { .string($0.name) })]
    }

    /// The worker behind a session's control socket, when it is the one that is expected.
    func connect(
        _ id: SessionID, incarnation: Int, within limit: Duration = .seconds(5)
    ) async throws -> WorkerConnection {
        let path = controlSocket(id)
        let connection = try await WorkerConnection.connect(
            to: path, on: group, expectedUID: configuration.workerUID, timeout: TimeAmount(limit))
        let hello = connection.hello
        guard hello.sessionID == id, hello.incarnation == incarnation else {
            await connection.close()
            throw SupervisorError(
                .launchFailed,
                "the worker at \(path) serves session \(hello.sessionID), incarnation \(hello.incarnation)")
        }
        guard ProcessIdentity(pid: hello.pid, startTime: hello.startTime).isAlive else {
            await connection.close()
            throw SupervisorError(.launchFailed, "the worker at \(path) is not the process that it says it is")
        }
        return connection
    }

    /// - Parameter allowing: rules of the tenant's own.
    func launchRequest(
        _ record: SessionRecord, firstSequence: UInt64, allowing remembered: [String]
    ) throws(SupervisorError) -> LaunchRequest {
        // Fails closed: under another policy the session might get what its own forbids.
        guard let policy = configuration.policies.policy(named: record.policy) else {
            throw SupervisorError(
                .launchFailed,
                "session \(record.id) was made under the policy '\(record.policy)', which is not there any more: put its "
                    + "file back into the directory of policies")
        }
        let hasChannel = record.kind == .structured && record.labels[ChannelServer.name] != nil
        let offersChannel = hasChannel && policy.claude.channels
        var permissions = Self.permissions(of: policy)
        if hasChannel { permissions.allow += ChannelServer.allowedTools }
        permissions.allow += remembered.filter { !permissions.allow.contains($0) }
        var request = LaunchRequest(
            sessionID: record.id, incarnation: record.incarnation, uidSlot: record.uidSlot,
            rules: rules(of: record, policy),
            startCommand: configuration.startCommand, claudeBinary: configuration.claudeBinary,
            environment: try environment(record, policy),
            managedSettings: ManagedSettings.json(
                hooks: record.kind == .terminal, permissions: permissions, channels: offersChannel),
            size: record.size,
            firstSequence: firstSequence,
            gatewaySocket: configuration.gatewaySocket, logBytes: Int(clamping: policy.logBytes.bytes),
            journal: policy.journal)
        request.kind = record.kind
        request.egressSocket = configuration.egressSocket
        request.commands = CommandRules(
            permissionModes: policy.allowedPermissionModes.map(\.rawValue),
            models: policy.bounds.models.map { $0 + [policy.claude.model].compactMap(\.self) },
            permissionTimeout: policy.permissions.timeout?.seconds,
            permissionAllow: policy.permissions.allow.isEmpty ? nil : policy.permissions.allow)
        request.filesOf = record.forkedFrom
        if record.kind == .structured {
            request.arguments =
                (hasChannel ? ChannelServer.arguments : []) + (offersChannel ? ChannelServer.channelArguments : [])
                + StreamArguments.all
            request.offersChannel = offersChannel ? true : nil
        }
        return request
    }

    /// The policy's rules, with the image that the session was made with.
    private func rules(of record: SessionRecord, _ policy: SessionPolicy) -> SandboxRules {
        var rules = policy.sandbox
        rules.image = record.image
        return rules
    }

    /// What Claude Code may do under the policy, whatever the session's own settings say.
    static func permissions(of policy: SessionPolicy) -> ManagedSettings.Permissions {
        ManagedSettings.Permissions(
            allow: policy.claude.allowedTools, deny: policy.claude.deniedTools,
            bypass: policy.allows(.bypassPermissions))
    }

    /// The caller's variables, then the policy's where the caller says nothing, then ours.
    private func environment(
        _ record: SessionRecord, _ policy: SessionPolicy
    ) throws(SupervisorError) -> [String: String] {
        do throws(EnvironmentError) {
            var variables = try SessionEnvironment.variables(
                sessionID: record.id.description, columns: record.size.cols, rows: record.size.rows,
                permissionMode: record.permissionMode, model: record.model, extra: record.environment)
            if let parent = record.forkedFrom { variables["ROOKERY_FORK_OF"] = parent.description }
            if record.kind == .structured { variables.merge(StreamArguments.environment) { _, fixed in fixed } }
            if policy.sandbox.network == .proxy {
                variables.merge(ProxyEnvironment.variables) { _, fixed in fixed }
                // What the caller says about git goes before.
                variables.merge(ProxyEnvironment.git(policy.egress.secrets.map(\.host.text))) { own, _ in own }
            }
            for (name, value) in policy.environment
            where record.environment[name] == nil && !EnvironmentRules.reserved.contains(name) {
                variables[name] = value
            }
            return variables
        } catch {
            throw SupervisorError(.invalid, "env: \(error)")
        }
    }

    /// Ends whatever an incarnation left behind. Where that fails, nothing of the session starts before it is done.
    @discardableResult
    func clean(_ id: SessionID) async -> Bool {
        do {
            let reply = try await launcher.send(
                .clean(CleanRequest(sessionID: id)), within: configuration.cleanLimit)
            if case .failed(let failure) = reply { throw SupervisorError(failure) }
            entries[id]?.isDirty = false
            return true
        } catch {
            logger.error(
                "what an incarnation left is not cleaned", metadata: ["session": "\(id)", "error": "\(error)"])
            entries[id]?.isDirty = true
            return false
        }
    }

    /// Removes what there is of a session outside the registry, its files and its journal with it.
    func remove(_ id: SessionID) async throws(SupervisorError) {
        let reply: LauncherReply
        do throws(LauncherError) {
            reply = try await launcher.send(
                .remove(RemoveRequest(sessionID: id, keepWorkspace: false)), within: configuration.cleanLimit)
        } catch { throw SupervisorError(error) }
        if case .failed(let failure) = reply { throw SupervisorError(failure) }
    }

    func disconnect(_ entry: SessionEntry) async {
        let connection = entry.connection
        entry.reset()
        await connection?.close()
    }
}
