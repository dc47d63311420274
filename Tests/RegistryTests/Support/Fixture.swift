import Foundation
import Policy
import Registry
import SessionCore

/// A state directory of its own, removed at the end.
struct ScratchDirectory: ~Copyable {
    let path: String

    init() throws {
        path = "/tmp/rk-reg-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A registry in a scratch directory for the time of `body`.
func withRegistry<Result>(_ body: (SessionRegistry) async throws -> Result) async throws -> Result {
    let directory = try ScratchDirectory()
    let registry = try SessionRegistry(directory: directory.path)
    return try await body(registry)
}

extension SessionRegistry {
    /// A principal of a new or existing user; `tenant` and `user` are made where they do not exist.
    func person(_ user: String, in tenant: String = "default", role: Role = .user) async throws -> Principal {
        let tenant =
            if let found = try await self.tenant(named: tenant) { found } else { try await createTenant(tenant) }
        let record =
            if let found = try await self.user(named: user, tenantID: tenant.id) { found } else {
                try await createUser(user, tenantID: tenant.id)
            }
        return Principal(tenantID: tenant.id, userID: record.id, name: user, role: role, tokenID: nil)
    }

    /// A new session of the owner.
    @discardableResult
    func make(
        _ owner: Principal, id: SessionID = SessionID(), at time: Date = Date(), key: IdempotencyKey? = nil,
        labels: [String: String] = [:]
    ) async throws -> SessionRecord {
        let insertion = try await insert(
            .sample(id, owner: owner, at: time, labels: labels), idempotency: key, actor: owner.name)
        guard case .inserted(let record) = insertion else { throw RegistryError.exists("repeated") }
        return record
    }
}

extension SessionRecord {
    static func sample(
        _ id: SessionID, owner: Principal, at time: Date = Date(), labels: [String: String] = [:]
    ) -> SessionRecord {
        SessionRecord(
            id: id, tenantID: owner.tenantID, tenant: "", ownerID: owner.userID, owner: owner.name, name: "a name",
            kind: .terminal, lifecycle: .queued, desired: .running, reason: nil, detail: nil, incarnation: 1,
            uidSlot: 0, policy: "default", image: "host", size: TerminalSize(cols: 100, rows: 30), model: "opus",
            permissionMode: "plan", environment: ["GREETING": "hällo \"you\"\n"], labels: labels, pinned: false,
            idleTimeout: .minutes(3), maxLifetime: nil, createdAt: time, updatedAt: time, startedAt: nil,
            lastActivityAt: time, lastSequence: 0, workerPID: nil, workerStartTime: nil,
            limits: [EnforcedLimit(name: "memory", asked: "2GiB", enforced: nil, by: "none", note: "no cgroup")],
            cgroups: ["memory": "/sys/fs/cgroup/memory/x"])
    }
}
