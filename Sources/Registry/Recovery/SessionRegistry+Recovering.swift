public import Foundation
import GRDB
import SessionCore

extension SessionRegistry {
    /// Opens the registry as a supervisor does, in recovery mode where it has to be: one that is damaged or missing is
    /// set aside and made anew from the newest good backup and the manifests; one that knows less than the manifests is
    /// brought up to date. What is in order is left alone.
    ///
    /// - Returns: the registry, and what was done; nil when nothing was.
    /// - Throws: ``RegistryError``; `storage` when the files cannot be read or written, which is no reason to make
    ///   anything anew, and `corrupt` when a newer version wrote them.
    public static func recovering(
        directory: String, manifests: ManifestStore, at now: Date = Date()
    ) throws(RegistryError) -> (registry: SessionRegistry, report: RecoveryReport?) {
        let lock = try lock(directory)
        let rebuild = RegistryRebuild(directory: directory, manifests: manifests, now: now)
        let file = RegistryFile(directory: directory)
        var report: RecoveryReport?
        var isRebuilt = false
        switch try file.condition() {
        case .sound: break
        case .newer: throw newer(file.path)
        case .missing:
            if let trace = traces(directory, manifests) {
                report = try rebuild.run(from: .newestBackup, cause: "the registry was missing, and there are \(trace)")
                isRebuilt = true
            }
        case .damaged(let fault):
            report = try rebuild.run(from: .newestBackup, cause: "the registry was damaged: \(fault)")
            isRebuilt = true
        case .logDamaged(let fault):
            try file.copyAside(in: rebuild.aside)
            var found = RecoveryReport(cause: "the registry's log was damaged: \(fault)", at: now)
            found.setAside = rebuild.aside
            found.lost = ["tokens, users and tenants that were made last may be lost"]
            report = found
        }
        let registry = try SessionRegistry(directory: directory, lock: lock)
        if isRebuilt { return (registry, report) }
        var merged = report ?? RecoveryReport(cause: "the registry had lost changes that manifests have", at: now)
        try RegistryRebuild.catchingAll { try rebuild.bringUpToDate(registry.pool, &merged) }
        guard report != nil || merged.changedAnything else { return (registry, pending(directory)) }
        try rebuild.record(merged)
        return (registry, merged)
    }

    /// What an offline rebuild left for the next supervisor: workers are still to be asked.
    private static func pending(_ directory: String) -> RecoveryReport? {
        guard let data = FileManager.default.contents(atPath: pendingPath(directory)) else { return nil }
        return try? JSONDecoder.rookery.decode(RecoveryReport.self, from: data)
    }

    private static func pendingPath(_ directory: String) -> String { "\(directory)/registry.rebuilt.json" }

    /// The supervisor has asked the workers: a rebuilt registry is complete.
    public func finishRecovery() { unlink(Self.pendingPath(directory)) }

    /// Makes the registry of a state directory anew; no supervisor runs on it. What is there is set aside.
    /// - Parameters:
    ///   - backup: the file to begin with; nil: the newest that is good.
    ///   - usesBackups: false: begin with nothing but manifests.
    public static func rebuild(
        directory: String, from backup: String? = nil, usesBackups: Bool = true, cause: String, at now: Date = Date()
    ) throws(RegistryError) -> RecoveryReport {
        let lock = try lock(directory)
        defer { withExtendedLifetime(lock) {} }
        let file = RegistryFile(directory: directory)
        switch try file.condition() {
        case .newer: throw newer(file.path)
        case .sound:
            // Its log goes into the file, so that what is set aside is whole.
            try RegistryRebuild.catchingAll {
                let current = try DatabaseQueue(path: file.path)
                _ = try current.writeWithoutTransaction { try $0.checkpoint(.truncate) }
                try current.close()
            }
        case .missing, .damaged, .logDamaged: break
        }
        let rebuild = RegistryRebuild(
            directory: directory, manifests: try ManifestStore(stateDirectory: directory), now: now)
        let base: RegistryRebuild.Base = !usesBackups ? .nothing : backup.map { .backup($0) } ?? .newestBackup
        let report = try rebuild.run(from: base, cause: cause)
        try RegistryRebuild.catchingAll {
            try DurableFile.write(try JSONEncoder.rookery.encode(report), to: pendingPath(directory))
        }
        return report
    }

    static func newer(_ path: String) -> RegistryError {
        .corrupt("\(path) was written by a newer version of Rookery: install that version, or use another --state-dir")
    }

    /// What says that there was a registry; nil where everything is new.
    private static func traces(_ directory: String, _ manifests: ManifestStore) -> String? {
        let backups = BackupStore(stateDirectory: directory).all().count
        let sessions =
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/sessions")) ?? [])
            .filter { SessionID(parsing: $0) != nil }.count
        let known = manifests.all()
        let found = [
            (known.manifests.count + known.faults.count, "manifests"), (backups, "backups"),
            (sessions, "directories of sessions"),
        ].filter { $0.0 > 0 }
        return found.isEmpty ? nil : found.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }
}
