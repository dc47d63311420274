import Foundation
import GRDB
import Glibc
import SessionCore

/// Makes a registry out of a backup and the sessions' manifests. The caller holds the state directory's lock.
///
/// Killed at any moment it leaves the old registry, or none and everything to make one of; it never leaves half of one.
struct RegistryRebuild {
    let directory: String
    let manifests: ManifestStore
    var now = Date()

    enum Base {
        case newestBackup
        case backup(String)
        case nothing
    }

    private var file: RegistryFile { RegistryFile(directory: directory) }
    private var temporary: String { "\(directory)/registry.rebuilding.sqlite" }

    /// Where files that are damaged, or in the way, go: a directory for each time.
    var aside: String { "\(directory)/damaged/\(BackupStore.stamp(now))" }

    func run(from base: Base, cause: String) throws(RegistryError) -> RecoveryReport {
        var report = RecoveryReport(cause: cause, at: now)
        removeTemporary()
        defer { removeTemporary() }
        try begin(from: base, &report)
        try Self.catchingAll {
            let database = try DatabaseQueue(path: temporary, configuration: SessionRegistry.configuration())
            try DatabaseMigrator.registry.migrate(database)
            try complete(database, &report)
            try database.writeWithoutTransaction { database in
                if let fault = try RegistryFile.faults(of: database, thorough: true).first {
                    throw RegistryError.corrupt("what was rebuilt does not pass SQLite's integrity check: \(fault)")
                }
            }
            try database.close()
            try DurableFile.synchronize(temporary)
        }
        if FileManager.default.fileExists(atPath: file.path) {
            try file.setAside(in: aside)
            report.setAside = aside
        }
        // A log without its file is of no use, and must not be taken for the new file's.
        for end in ["-wal", "-shm"] { try Self.catchingAll { try DurableFile.move(file.path + end, to: aside + end) } }
        try Self.catchingAll { try DurableFile.move(temporary, to: file.path) }
        try record(report)
        return report
    }

    /// The temporary file with what the rebuilt registry begins with.
    private func begin(from base: Base, _ report: inout RecoveryReport) throws(RegistryError) {
        let store = BackupStore(stateDirectory: directory)
        switch base {
        case .nothing: break
        case .backup(let path):
            let known = store.all().first { $0.path == path }
            return try copy(RegistryBackup(path: path, time: known?.time ?? Self.modified(path)), &report)
        case .newestBackup:
            for backup in store.all() {
                do throws(RegistryError) {
                    return try copy(backup, &report)
                } catch {
                    if case .storage = error { throw error }
                    report.rejectedBackups.append("\((backup.path as NSString).lastPathComponent): \(error)")
                }
            }
        }
        let descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .storage("\(FileError(temporary))") }
        close(descriptor)
        report.lost.append(
            "no backup was used: all tokens but the admin's are lost, and so are users and tenants without sessions, "
                + "idempotency keys and the history of sessions")
    }

    private func copy(_ backup: RegistryBackup, _ report: inout RecoveryReport) throws(RegistryError) {
        let source = RegistryFile(path: backup.path)
        switch try source.condition(thorough: true) {
        case .sound: break
        case .newer: throw .corrupt("a newer version of Rookery made it")
        case .missing: throw .corrupt("there is nothing in it, or it is not there")
        case .damaged(let fault), .logDamaged(let fault): throw .corrupt(fault)
        }
        try Self.catchingAll { try BackupStore.copy(try source.reader(), to: temporary) }
        report.base = backup.path
        report.baseTime = backup.time
        report.lost.append(
            "tokens, users and tenants made after \(backup.time.formatted(.rookery)) are lost, and the history of sessions "
                + "since; tokens and share links that were revoked since stay revoked")
    }

    /// Sessions from manifests, in a registry that is in order itself.
    func bringUpToDate(_ database: any DatabaseWriter, _ report: inout RecoveryReport) throws {
        let known = manifests.all().manifests
        let found = report
        report = try database.write { database in
            var report = found
            try ManifestMerge(database: database, now: now).apply(known, to: &report)
            return report
        }
    }

    /// Sessions from manifests, revocations from their log, orphans by their directories.
    private func complete(_ database: any DatabaseWriter, _ report: inout RecoveryReport) throws {
        let (known, faults) = manifests.all()
        report.unusable += faults.map { "\($0.file): \($0.fault)" }
        let revoked = RevocationLog(directory: directory).all()
        let found = report
        report = try database.write { database in
            var report = found
            let merge = ManifestMerge(database: database, now: now)
            try merge.apply(known, to: &report)
            for token in revoked {
                try database.execute(
                    sql: "UPDATE tokens SET revoked_at = ? WHERE public_id = ? AND revoked_at IS NULL",
                    arguments: [now.registryMilliseconds, token])
                try database.execute(
                    sql: "UPDATE shares SET revoked_at = ? WHERE public_id = ? AND revoked_at IS NULL",
                    arguments: [now.registryMilliseconds, token])
            }
            try adopt(orphans: merge, &report)
            if report.base != nil { try markUnconfirmed(known, database, &report) }
            return report
        }
    }

    /// What the backup says of sessions without a manifest may be long past: numbers must not be used twice. One that was
    /// never up when the backup was made did not come up: its manifest is removed with it.
    private func markUnconfirmed(
        _ known: [SessionManifest], _ database: Database, _ report: inout RecoveryReport
    ) throws {
        let confirmed = Set(known.map(\.record.id))
        let rows = try Row.fetchAll(
            database, sql: "\(SessionRow.selection) WHERE sessions.lifecycle <> 'deleted'"
        ).map(SessionRow.record)
        for var row in rows where !confirmed.contains(row.id) {
            if row.lifecycle == .starting, row.incarnation == 1, !manifests.hasManifest(row.id) {
                row.desired = .deleted
                report.deleted.append(row.id)
            } else {
                row.lastSequence += Self.sequenceJump
                report.unconfirmed.append(row.id)
            }
            try SessionRow.update(row, database)
        }
    }

    /// Numbers skip this much where the last one that was used is not known.
    private static let sequenceJump: UInt64 = 1 << 20

    /// Directories that no session owns: their uids must go to nobody else, nor their ids.
    private func adopt(orphans merge: ManifestMerge, _ report: inout RecoveryReport) throws {
        let sessions = "\(directory)/sessions"
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: sessions)) ?? []).sorted() {
            guard let id = SessionID(parsing: name), try SessionRow.fetch(id, merge.database) == nil,
                !manifests.hasManifest(id)
            else { continue }
            report.orphans.append("\(sessions)/\(name)")
            var owner = stat()
            guard stat("\(sessions)/\(name)/workspace", &owner) == 0, owner.st_uid >= Self.firstUID else { continue }
            let slot = Int((owner.st_uid - Self.firstUID) / Self.rangeSize)
            if try merge.holder(of: slot) == nil { try merge.hold(slot, for: id) }
        }
    }

    /// As the sandbox's uid ranges are laid out.
    private static let firstUID: UInt32 = 0x1000_0000
    private static let rangeSize: UInt32 = 65_536

    /// Keeps the report beside what was set aside.
    func record(_ report: RecoveryReport) throws(RegistryError) {
        try DurableFile.makeDirectory(aside)
        try Self.catchingAll {
            try DurableFile.write(try JSONEncoder.rookery.encode(report), to: "\(aside)/report.json")
        }
    }

    private func removeTemporary() {
        for end in ["", "-journal", "-wal", "-shm"] { unlink(temporary + end) }
    }

    private static func modified(_ path: String) -> Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }

    static func catchingAll<Value>(_ body: () throws -> Value) throws(RegistryError) -> Value {
        do { return try body() } catch let error as FileError { throw .storage("\(error)") } catch {
            throw RegistryError(error)
        }
    }
}
