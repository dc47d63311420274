public import Foundation
import GRDB
public import SessionCore

/// Sessions whose programs run elsewhere. To the registry they are parked until they have ended: who has their program now
/// is for whoever it is connected to.
extension SessionRegistry {
    /// Of one user, that have not ended.
    public static let mostElsewhere = 100

    /// Makes one durable. It holds a uid range as others do, so that its id is nobody else's.
    ///
    /// - Throws: ``RegistryError/exists(_:)`` when the id was ever used, ``RegistryError/exhausted(_:)``.
    public func insert(
        elsewhere id: SessionID, for principal: Principal, at now: Date = Date()
    ) async throws(RegistryError) -> SessionRecord {
        let stored = try await write { database in
            try Self.checkUnused(id, database)
            let open = try Int.fetchOne(
                database,
                sql: "SELECT count(*) FROM sessions WHERE kind = 'remote' AND lifecycle = 'parked' AND owner_id = ?",
                arguments: [principal.userID])
            guard (open ?? 0) < Self.mostElsewhere else {
                throw RegistryError.exhausted(
                    "a user has at most \(Self.mostElsewhere) sessions elsewhere that have not ended: stop some")
            }
            let record = SessionRecord(
                id: id, tenantID: principal.tenantID, tenant: "", ownerID: principal.userID, owner: principal.name,
                name: nil, kind: .remote, lifecycle: .parked, desired: .parked, reason: nil, detail: nil,
                incarnation: 1, uidSlot: try Self.takeSlot(for: id, database), policy: "", image: "", size: .standard,
                model: nil, permissionMode: nil, environment: [:], labels: [:], pinned: false, idleTimeout: nil,
                maxLifetime: nil, createdAt: now, updatedAt: now, startedAt: now, lastActivityAt: now,
                lastSequence: 0, workerPID: nil, workerStartTime: nil, limits: [], cgroups: [:])
            try SessionRow.insert(record, database)
            try Self.append(
                TransitionRecord(
                    sessionID: id, incarnation: 1, from: nil, to: .parked, reason: nil, detail: nil,
                    actor: principal.name, seq: nil, time: now), database)
            return try SessionRow.fetch(id, database)
        }
        guard let stored else { throw .corrupt("session \(id) is not there after its insertion") }
        return stored
    }

    /// All that are not deleted.
    public func sessionsElsewhere() async throws(RegistryError) -> Set<SessionID> {
        try await read { database in
            Set(
                try String.fetchAll(
                    database, sql: "SELECT id FROM sessions WHERE kind = 'remote' AND lifecycle <> 'deleted'"
                ).compactMap { SessionID(parsing: $0) })
        }
    }
}
