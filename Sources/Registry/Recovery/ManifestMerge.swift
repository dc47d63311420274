import Foundation
import GRDB
import SessionCore

/// Brings a registry up to date with manifests. A manifest is written after the registry, so one that is newer than its
/// row proves that the registry has lost something. Runs in one transaction; again, it changes nothing more.
struct ManifestMerge {
    let database: Database
    let now: Date

    /// Who is written into the history.
    private static let actor = "supervisor"

    func apply(_ manifests: [SessionManifest], to report: inout RecoveryReport) throws {
        // Deletions first: they free what a later session may hold.
        for manifest in manifests where manifest.isTombstone { try bury(manifest.record, &report) }
        for manifest in manifests.sorted(by: { $0.record.createdAt < $1.record.createdAt }) where !manifest.isTombstone
        {
            try restore(manifest.record, &report)
        }
    }

    private func bury(_ record: SessionRecord, _ report: inout RecoveryReport) throws {
        let row = try SessionRow.fetch(record.id, database)
        if let row {
            guard Self.isNewer(record, than: row) || row.desired != .deleted else { return }
            try SessionRow.replace(try placed(record), database)
            try note(record, "its manifest says that it was deleted", from: row.lifecycle)
            report.deleted.append(record.id)
        } else if record.lifecycle != .deleted {
            // Begun and not finished: the supervisor finishes it.
            let record = try placed(record)
            try SessionRow.insert(record, database)
            report.deleted.append(record.id)
        }
        if record.lifecycle == .deleted, !record.keepsWorkspace {
            try database.execute(
                sql: "DELETE FROM uid_slots WHERE session_id = ?", arguments: [record.id.description])
        } else if try holder(of: record.uidSlot) == nil {
            try hold(record.uidSlot, for: record.id)
        }
    }

    private func restore(_ record: SessionRecord, _ report: inout RecoveryReport) throws {
        let row = try SessionRow.fetch(record.id, database)
        if let row, !Self.isNewer(record, than: row) { return }
        // Two sessions with the same uids could read each other's files.
        if let other = try holder(of: record.uidSlot), other != record.id.description {
            report.unusable.append(
                "\(record.id).json: its uid range \(record.uidSlot) belongs to session \(other): the session stays out")
            return
        }
        let placed = try placed(record)
        if let row {
            try SessionRow.replace(placed, database)
            try note(placed, "brought up to date from its manifest", from: row.lifecycle)
            report.advanced.append(record.id)
        } else {
            try SessionRow.insert(placed, database)
            try note(placed, "restored from its manifest", from: nil)
            report.restored.append(record.id)
        }
        try hold(record.uidSlot, for: record.id)
    }

    static func isNewer(_ record: SessionRecord, than row: SessionRecord) -> Bool {
        if record.revision != row.revision { return record.revision > row.revision }
        // Copies of before there were revisions; times are stored in milliseconds.
        return record.revision == 0 && record.updatedAt.timeIntervalSince(row.updatedAt) > 0.002
    }

    /// The record with this registry's numbers for its tenant and its owner.
    func placed(_ record: SessionRecord) throws -> SessionRecord {
        var record = record
        let tenant =
            try SessionRegistry.tenant(named: record.tenant, database)
            ?? SessionRegistry.insertTenant(record.tenant, at: now, database)
        record.tenantID = tenant.id
        record.ownerID =
            try SessionRegistry.user(named: record.owner, tenantID: tenant.id, database)?.id
            ?? SessionRegistry.insertUser(record.owner, tenantID: tenant.id, at: now, database).id
        return record
    }

    /// A spare that this registry knows may be long gone: where somebody else's manifest names its range, it is.
    func holder(of slot: Int) throws -> String? {
        try String.fetchOne(
            database,
            sql: """
                SELECT session_id FROM uid_slots WHERE slot = ? AND session_id NOT IN (SELECT session_id FROM spares)
                """, arguments: [slot])
    }

    func hold(_ slot: Int, for id: SessionID) throws {
        try database.execute(
            sql: "INSERT OR REPLACE INTO uid_slots (slot, session_id) VALUES (?, ?)", arguments: [slot, id.description])
    }

    private func note(_ record: SessionRecord, _ detail: String, from: Lifecycle?) throws {
        try SessionRegistry.append(
            TransitionRecord(
                sessionID: record.id, incarnation: record.incarnation, from: from, to: record.lifecycle,
                reason: record.reason, detail: detail, actor: Self.actor, seq: nil, time: now), database)
    }
}
