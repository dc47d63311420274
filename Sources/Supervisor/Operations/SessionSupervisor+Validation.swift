import ClaudeCode
import Foundation
import Policy
import Registry
import SessionCore

extension SessionSupervisor {
    static let mostLabels = 64
    static let longestLabel = 256
    static let longestName = 200
    /// What a worker types at most.
    static let longestPrompt = 256 * 1024

    /// Checks a request and makes a record of it; its uid slot and numbers come from the registry.
    func newRecord(_ creation: SessionCreation, by principal: Principal) throws(SupervisorError) -> SessionRecord {
        guard let policy = configuration.policies.policy(named: creation.policy) else {
            let names = configuration.policies.names.joined(separator: ", ")
            throw SupervisorError(
                .invalid, "there is no policy '\(creation.policy?.prefix(64) ?? "")': use one of \(names)")
        }
        guard creation.kind != .remote else {
            throw SupervisorError(.invalid, "a session of kind 'remote' dials in by itself")
        }
        let image = try image(creation.image, policy: policy)
        let model = try Self.model(creation.model, policy: policy)
        let mode = try Self.permissionMode(creation.permissionMode, policy: policy)
        if let prompt = creation.prompt, prompt.utf8.count > Self.longestPrompt {
            throw SupervisorError(.invalid, "the prompt is over \(Self.longestPrompt) bytes: put it in a file")
        }
        try Self.check(name: creation.name, labels: creation.labels)
        try Self.check(creation.idleTimeout, creation.maxLifetime, policy: policy)
        try Self.check(environment: creation.env ?? [:], policy: policy)
        let now = clock.now()
        let size = creation.size ?? TerminalSize(cols: policy.size.cols, rows: policy.size.rows)
        var record = SessionRecord(
            id: creation.id ?? SessionID(), tenantID: principal.tenantID, tenant: "", ownerID: principal.userID,
            owner: principal.name, name: creation.name, kind: creation.kind ?? .terminal, lifecycle: .queued,
            desired: .running, reason: nil, detail: nil, incarnation: 1, uidSlot: 0, policy: policy.name,
            image: image, size: size, model: model, permissionMode: mode,
            environment: creation.env ?? [:],
            labels: creation.labels ?? [:], pinned: false, idleTimeout: creation.idleTimeout,
            maxLifetime: creation.maxLifetime, createdAt: now, updatedAt: now, startedAt: nil, lastActivityAt: now,
            lastSequence: 0, workerPID: nil, workerStartTime: nil, limits: [], cgroups: [:])
        record.egress = try creation.egress.map(Self.targets)
        return record
    }

    /// They can only take away: what the policy does not let out stays in.
    private static func targets(_ texts: [String]) throws(SupervisorError) -> [EgressTarget] {
        var targets: [EgressTarget] = []
        for text in texts {
            guard let target = EgressTarget(parsing: text) else {
                throw SupervisorError(
                    .invalid,
                    "egress: '\(text.prefix(80))' is not a host: write 'pypi.org', '*.debian.org:80,443' or 'tcp host:22'"
                )
            }
            targets.append(target)
        }
        return targets
    }

    static func model(_ asked: String?, policy: SessionPolicy) throws(SupervisorError) -> String? {
        guard let asked else { return policy.claude.model }
        guard SessionPolicy.isModel(asked) else {
            throw SupervisorError(.invalid, "'\(asked.prefix(128))' is not a model's name")
        }
        guard policy.allows(model: asked) else {
            let models = [policy.claude.model].compactMap(\.self) + (policy.bounds.models ?? [])
            throw outside(
                policy, "the model '\(asked)'",
                models.isEmpty ? "leave it out" : "use \(models.joined(separator: ", "))")
        }
        return asked
    }

    static func check(environment: [String: String], policy: SessionPolicy) throws(SupervisorError) {
        guard environment.isEmpty || policy.bounds.environment else {
            throw outside(policy, "variables in a request", "leave 'env' out")
        }
        do throws(EnvironmentError) {
            try SessionEnvironment.check(environment)
        } catch {
            throw SupervisorError(.invalid, "env: \(error)")
        }
    }

    static func permissionMode(_ asked: String?, policy: SessionPolicy) throws(SupervisorError) -> String {
        guard let asked else { return policy.claude.permissionMode.rawValue }
        guard let mode = PermissionMode(rawValue: asked == "manual" ? "default" : asked) else {
            let modes = PermissionMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw SupervisorError(.invalid, "'\(asked.prefix(64))' is not a permission mode: use one of \(modes)")
        }
        guard policy.allows(mode) else {
            let modes = policy.allowedPermissionModes.map(\.rawValue).joined(separator: ", ")
            throw outside(policy, "'\(mode.rawValue)'", "use \(modes), or another policy")
        }
        return mode.rawValue
    }

    static func outside(_ policy: SessionPolicy, _ what: String, _ remedy: String) -> SupervisorError {
        SupervisorError(.invalid, "the policy '\(policy.name)' does not allow \(what): \(remedy)")
    }

    static func check(name: String?, labels: [String: String]?) throws(SupervisorError) {
        func isPlain(_ text: String) -> Bool {
            !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
        if let name, name.utf8.count > longestName || !isPlain(name) {
            throw SupervisorError(.invalid, "a name has at most \(longestName) bytes and no control characters")
        }
        guard let labels else { return }
        guard labels.count <= mostLabels else {
            throw SupervisorError(.invalid, "a session has at most \(mostLabels) labels")
        }
        for (key, value) in labels {
            guard !key.hasPrefix(SessionRecord.ownLabels) else {
                throw SupervisorError(
                    .invalid, "labels that begin with '\(SessionRecord.ownLabels)' are Rookery's own")
            }
            guard !key.isEmpty, !key.contains(":"), isPlain(key), isPlain(value),
                key.utf8.count <= longestLabel, value.utf8.count <= longestLabel
            else {
                throw SupervisorError(
                    .invalid,
                    "the label '\(key.prefix(64))' is not acceptable: key and value have at most \(longestLabel) bytes "
                        + "without control characters, a key has one at least and no ':'")
            }
        }
    }

    /// The policy's own values are defaults; its bounds are bounds.
    static func check(
        _ idleTimeout: TimeSpan?, _ maxLifetime: TimeSpan?, policy: SessionPolicy
    ) throws(SupervisorError) {
        func check(_ name: String, _ asked: TimeSpan?, _ least: TimeSpan, _ most: TimeSpan) throws(SupervisorError) {
            guard let asked, asked < least || asked > most else { return }
            throw SupervisorError(
                .invalid, "\(name) must be \(least) to \(most) under the policy '\(policy.name)', not \(asked)")
        }
        try check("idle_timeout", idleTimeout, PolicyBounds.idleTimeout.lowerBound, policy.longestIdleTimeout)
        try check("max_lifetime", maxLifetime, PolicyBounds.maxLifetime.lowerBound, policy.longestLifetime)
    }

    /// Equal for equal requests, whatever order their keys came in.
    static func canonical(_ creation: SessionCreation) throws(SupervisorError) -> Data {
        do { return try JSONEncoder.rookery.encode(creation) } catch {
            throw SupervisorError(.invalid, "the request cannot be written down: \(error)")
        }
    }
}
