public import Foundation
import GRDB
import Glibc
import SessionCore

/// What a look at a state directory's registry finds: `rookery registry check`. It changes nothing, and may be taken
/// beside a supervisor that runs.
public struct RegistryInspection: Codable, Sendable {
    public enum Status: String, Codable, Sendable {
        case ok, missing, damaged
        /// Readable, and it knows less than it should.
        case behind
        case newer
    }

    public struct Backup: Codable, Sendable {
        public var file: String
        public var time: Date
        /// nil: it is good.
        public var fault: String?
    }

    public var path: String
    public var status: Status
    /// A supervisor holds it.
    public var inUse: Bool
    /// Every fault that was found, in words.
    public var findings: [String] = []
    /// What to do; nil when there is nothing to be done.
    public var remedy: String?
    /// Rows of each kind.
    public var counts: [String: Int] = [:]
    public var manifests = 0
    public var backups: [Backup] = []

    enum CodingKeys: String, CodingKey {
        case path, status
        case inUse = "in_use"
        case findings, remedy, counts, manifests, backups
    }

    /// - Throws: ``RegistryError/storage(_:)`` when the files cannot be read.
    public init(directory: String) throws(RegistryError) {
        let file = RegistryFile(directory: directory)
        path = file.path
        inUse = Self.isLocked("\(directory)/registry.lock")
        status = .ok
        switch try file.condition(thorough: true) {
        case .sound: break
        case .missing: (status, findings) = (.missing, ["there is no registry at \(file.path)"])
        case .damaged(let fault): (status, findings) = (.damaged, [fault])
        case .logDamaged(let fault): (status, findings) = (.damaged, ["its log \(file.path)-wal: \(fault)"])
        case .newer: (status, findings) = (.newer, ["a newer version of Rookery wrote it"])
        }
        let isReadable = status == .ok
        if isReadable { try count(file) }
        try look(atManifestsOf: directory, comparingWith: isReadable ? file : nil)
        for backup in BackupStore(stateDirectory: directory).all() {
            var fault: String?
            switch try RegistryFile(path: backup.path).condition(thorough: true) {
            case .sound: break
            case .missing: fault = "there is nothing in it"
            case .damaged(let text), .logDamaged(let text): fault = text
            case .newer: fault = "a newer version of Rookery made it"
            }
            backups.append(Backup(file: backup.path, time: backup.time, fault: fault))
        }
        findings += backups.compactMap { backup in backup.fault.map { "\(backup.file): \($0)" } }
        remedy = advice()
    }

    private mutating func count(_ file: RegistryFile) throws(RegistryError) {
        do {
            let (counts, faults) = try file.reader().read { database in
                var counts: [String: Int] = [:]
                for table in ["tenants", "users", "tokens", "sessions", "transitions"] {
                    counts[table] = try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM \(table)")
                }
                var faults: [String] = []
                // What SQLite finds in order may still be nothing that we can read.
                for row in try Row.fetchAll(database, sql: SessionRow.selection) {
                    do { _ = try SessionRow.record(row) } catch { faults.append("\(RegistryError(error))") }
                }
                return (counts, faults)
            }
            self.counts = counts
            if !faults.isEmpty { (status, findings) = (.damaged, findings + faults) }
        } catch {
            guard case .corrupt(let detail) = RegistryError(error) else { throw RegistryError(error) }
            (status, findings) = (.damaged, findings + [detail])
        }
    }

    private mutating func look(
        atManifestsOf directory: String, comparingWith file: RegistryFile?
    ) throws(RegistryError) {
        guard let store = ManifestStore(existingIn: directory) else { return }
        let (known, faults) = store.all()
        manifests = known.count
        findings += faults.map { "manifest \($0.file): \($0.fault)" }
        guard let file else { return }
        do {
            let lagging = try file.reader().read { database in
                try known.filter { manifest in
                    guard let row = try SessionRow.fetch(manifest.record.id, database) else {
                        return manifest.record.lifecycle != .deleted
                    }
                    return ManifestMerge.isNewer(manifest.record, than: row)
                }
            }
            // Beside a supervisor that writes, one may have changed between the two looks.
            if !lagging.isEmpty, !inUse, status == .ok {
                status = .behind
                findings.append(
                    "\(lagging.count) sessions have manifests that know more than the registry: "
                        + lagging.prefix(10).map(\.record.id.description).joined(separator: ", "))
            }
        } catch { throw RegistryError(error) }
    }

    private func advice() -> String? {
        let good = backups.contains { $0.fault == nil }
        switch status {
        case .ok:
            return findings.isEmpty
                ? nil : "the registry is in order; what is named above can be removed once you know why it is so"
        case .newer: return "install the version of Rookery that wrote it, or use another --state-dir"
        case .behind: return "start the supervisor: it brings the registry up to date from the manifests"
        case .missing where backups.isEmpty && manifests == 0:
            return "nothing was ever stored here: 'rookery serve' makes a registry, or name another --state-dir"
        case .missing, .damaged:
            let how = good ? "from the newest good backup and the manifests" : "from the manifests; no backup is good"
            return inUse
                ? "restart the supervisor: it sets the file aside and makes a new one \(how)"
                : "start the supervisor, or run 'rookery registry rebuild': either sets the file aside and makes a new "
                    + "one \(how)"
        }
    }

    private static func isLocked(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

/// Backs up a registry that may be in use by a supervisor, from outside.
public enum RegistryCopy {
    /// - Parameter target: where to; nil: among the state directory's backups.
    /// - Throws: ``RegistryError``.
    public static func make(
        ofStateDirectory directory: String, to target: String? = nil, at now: Date = Date()
    ) throws(RegistryError) -> RegistryBackup {
        let file = RegistryFile(directory: directory)
        switch try file.condition() {
        case .sound: break
        case .missing: throw .notFound("there is no registry at \(file.path): name another --state-dir")
        case .newer: throw SessionRegistry.newer(file.path)
        case .damaged(let fault), .logDamaged(let fault):
            throw .corrupt("\(fault). It is not backed up: see 'rookery registry check'")
        }
        return try RegistryRebuild.catchingAll {
            let source = try file.reader()
            guard let target else { return try BackupStore(stateDirectory: directory).make(of: source, at: now) }
            try BackupStore.copy(source, to: target)
            return RegistryBackup(path: target, time: now)
        }
    }
}
