import Foundation
import GRDB
import Glibc

/// The index and the intent: tenants, users, tokens, sessions and everything that ever happened to their state.
/// One SQLite file, written by one supervisor at a time.
///
/// Calls suspend and never block the caller's thread. A call in a cancelled task throws
/// ``RegistryError/cancelled`` and writes nothing.
public final class SessionRegistry: Sendable {
    let pool: DatabasePool
    private let lock: RegistryLock

    /// Opens `<directory>/registry.sqlite`, making the directory and the file where they do not exist, and brings
    /// the schema up to date.
    ///
    /// - Throws: ``RegistryError``; `locked` while another supervisor uses the directory.
    public init(directory: String) throws(RegistryError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        } catch {
            throw .storage("\(directory) cannot be made: \(error.localizedDescription)")
        }
        lock = try RegistryLock(path: "\(directory)/registry.lock")
        let path = "\(directory)/registry.sqlite"
        do {
            // It holds hashes of tokens and the environment of sessions: nobody else's to read.
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw RegistryError.storage("\(path): \(String(cString: strerror(errno)))") }
            close(descriptor)
            var configuration = Configuration()
            configuration.foreignKeysEnabled = true
            configuration.busyMode = .timeout(5)
            configuration.maximumReaderCount = 4
            configuration.label = "registry"
            pool = try DatabasePool(path: path, configuration: configuration)
            // GRDB sets NORMAL when it turns WAL on. A transition that was answered must survive a power cut.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let migrations = DatabaseMigrator.registry
            guard try !pool.read(migrations.hasBeenSuperseded) else {
                throw RegistryError.corrupt(
                    "\(path) was written by a newer version of Rookery: install that version, or use another --state-dir"
                )
            }
            try migrations.migrate(pool)
        } catch {
            throw RegistryError(error)
        }
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
