import Foundation
import GRDB
import Glibc
import Synchronization

/// The index and the intent: tenants, users, tokens, sessions and everything that ever happened to their state.
/// One SQLite file, written by one supervisor at a time.
///
/// Calls suspend and never block the caller's thread. A call in a cancelled task throws
/// ``RegistryError/cancelled`` and writes nothing.
public final class SessionRegistry: Sendable {
    let pool: DatabasePool
    /// The state directory.
    let directory: String
    /// Two supervisors of one directory would start sessions twice.
    private let lock: LifeLock
    let revocations: RevocationLog
    /// How often tenants, users or tokens were changed, and how often of that the newest backup knows.
    let accountChanges = Mutex(0)
    let accountsInBackup = Mutex(0)

    /// Opens `<directory>/registry.sqlite`, making the directory and the file where they do not exist, and brings
    /// the schema up to date, after a backup.
    ///
    /// - Throws: ``RegistryError``; `locked` while another supervisor uses the directory.
    public convenience init(directory: String) throws(RegistryError) {
        try self.init(directory: directory, lock: try Self.lock(directory))
    }

    init(directory: String, lock: LifeLock) throws(RegistryError) {
        self.directory = directory
        self.lock = lock
        revocations = RevocationLog(directory: directory)
        let path = "\(directory)/registry.sqlite"
        do {
            // It holds hashes of tokens and the environment of sessions: nobody else's to read.
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw RegistryError.storage("\(path): \(String(cString: strerror(errno)))") }
            close(descriptor)
            pool = try DatabasePool(path: path, configuration: Self.configuration())
            // GRDB sets NORMAL when it turns WAL on. A transition that was answered must survive a power cut.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let migrations = DatabaseMigrator.registry
            guard try !pool.read(migrations.hasBeenSuperseded) else { throw Self.newer(path) }
            let (isBehind, isNew) = try pool.read {
                (try !migrations.hasCompletedMigrations($0), try migrations.appliedIdentifiers($0).isEmpty)
            }
            if isBehind, !isNew { _ = try BackupStore(stateDirectory: directory).make(of: pool) }
            try migrations.migrate(pool)
        } catch {
            throw RegistryError(error)
        }
    }

    /// Takes the directory for this process, and makes it where there is none.
    static func lock(_ directory: String) throws(RegistryError) -> LifeLock {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        } catch {
            throw .storage("\(directory) cannot be made: \(error.localizedDescription)")
        }
        let path = "\(directory)/registry.lock"
        do throws(LifeLock.Failure) { return try LifeLock(path: path) } catch {
            switch error {
            case .held(let pid): throw .locked(path: path, pid: pid)
            case .unusable(let reason): throw .storage(reason)
            }
        }
    }

    static func configuration() -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.label = "registry"
        return configuration
    }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(RegistryError) -> Value {
        do { return try await pool.read(body) } catch { throw RegistryError(error) }
    }

    /// One transaction.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(RegistryError) -> Value {
        do { return try await pool.write(body) } catch { throw RegistryError(error) }
    }

    /// Proves that the file can be written, for readiness.
    public func probe() async throws(RegistryError) {
        try await write { database in
            try database.execute(
                sql: "INSERT INTO probe (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
                arguments: [Date().registryMilliseconds])
        }
    }
}

extension Date {
    /// How the registry stores times: whole milliseconds since 1970, so that a cursor compares exactly.
    var registryMilliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    init(registryMilliseconds: Int64) { self.init(timeIntervalSince1970: Double(registryMilliseconds) / 1000) }
}
