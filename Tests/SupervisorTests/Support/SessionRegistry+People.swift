import Foundation
import Registry
import SessionCore
import Testing

/// Who is there, for tests of what is kept by owner.
extension SessionRegistry {
    /// That user of that tenant, made if there is none.
    func person(_ name: String, of tenant: String, _ role: Role = .admin) async throws -> Principal {
        let tenant =
            if let found = try await self.tenant(named: tenant) { found } else { try await createTenant(tenant) }
        let user =
            if let found = try await self.user(named: name, tenantID: tenant.id) { found } else {
                try await createUser(name, tenantID: tenant.id)
            }
        return Principal(tenantID: tenant.id, userID: user.id, name: name, role: role, tokenID: nil)
    }

    /// A session that nobody has started.
    func session(of owner: Principal) async throws -> UUID {
        let id = SessionID()
        let record = SessionRecord(
            id: id, tenantID: owner.tenantID, tenant: "", ownerID: owner.userID, owner: owner.name, name: nil,
            kind: .terminal, lifecycle: .queued, desired: .running, reason: nil, detail: nil, incarnation: 1,
            uidSlot: 0, policy: "default", image: "host", size: TerminalSize(cols: 80, rows: 24), model: nil,
            permissionMode: nil, environment: [:], labels: [:], pinned: false, idleTimeout: nil, maxLifetime: nil,
            createdAt: Date(), updatedAt: Date(), startedAt: nil, lastActivityAt: Date(), lastSequence: 0,
            workerPID: nil, workerStartTime: nil, limits: [], cgroups: [:])
        _ = try await insert(record, idempotency: nil, actor: owner.name)
        return try #require(UUID(uuidString: id.description))
    }
}
