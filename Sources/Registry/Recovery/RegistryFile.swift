import Foundation
import GRDB
import Glibc

/// `<state>/registry.sqlite` with what SQLite keeps beside it, looked at from outside.
struct RegistryFile: Sendable {
    let path: String

    init(directory: String) { path = "\(directory)/registry.sqlite" }
    init(path: String) { self.path = path }

    enum Condition: Equatable {
        /// There is none, or one that nothing was ever written to.
        case missing
        case sound
        /// Whole, but its log is not: what was committed last may be lost.
        case logDamaged(String)
        case damaged(String)
        /// A later version of Rookery wrote it.
        case newer
    }

    /// What SQLite itself finds wrong with an open database.
    /// - Parameter thorough: check indexes against tables, and references too; takes longer.
    static func faults(of database: Database, thorough: Bool) throws -> [String] {
        var faults = try String.fetchAll(database, sql: "PRAGMA \(thorough ? "integrity" : "quick")_check(20)")
            .filter { $0 != "ok" }
        if thorough {
            faults += try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").prefix(20).map {
                "a row of \($0["table"] as String? ?? "?") refers to a row of \($0["parent"] as String? ?? "?") "
                    + "that is not there"
            }
        }
        return faults
    }

    /// A connection that changes nothing, also beside a supervisor that writes.
    func reader() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Looks at the file, and changes nothing.
    /// - Throws: ``RegistryError/storage(_:)`` when it cannot be read, which says nothing about what is in it.
    func condition(thorough: Bool = false) throws(RegistryError) -> Condition {
        var size = stat()
        guard stat(path, &size) == 0 else {
            guard errno == ENOENT else { throw .storage("\(FileError(path))") }
            return .missing
        }
        // SQLite would begin a new database in it.
        if size.st_size == 0, WriteAheadLog.fault(at: path + "-wal") == nil { return .missing }
        // Before SQLite sees the log: it may begin it anew.
        let log = WriteAheadLog.fault(at: path + "-wal")
        do {
            let verdict = try reader().read { database -> Condition? in
                let tables = try String.fetchAll(database, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'")
                if tables.isEmpty { return .missing }
                guard tables.contains("grdb_migrations"), tables.contains("sessions") else {
                    return .damaged("it is a database, and not Rookery's")
                }
                if try DatabaseMigrator.registry.hasBeenSuperseded(database) { return .newer }
                return try Self.faults(of: database, thorough: thorough).first.map { .damaged($0) }
            }
            if let verdict { return verdict }
        } catch {
            switch RegistryError(error) {
            case .corrupt(let detail): return .damaged(detail)
            case let error: throw error
            }
        }
        return log.map { .logDamaged($0) } ?? .sound
    }

    /// Moves the file and what is beside it into a directory of their own. The file first: without it nobody takes its
    /// log for the log of another.
    func setAside(in directory: String) throws(RegistryError) {
        try DurableFile.makeDirectory(directory)
        do {
            for end in ["", "-wal", "-shm"] {
                try DurableFile.move(path + end, to: "\(directory)/\((path as NSString).lastPathComponent)\(end)")
            }
        } catch { throw .storage("\(error)") }
    }

    /// Copies the file and what is beside it: what SQLite is about to change stays as it was found.
    func copyAside(in directory: String) throws(RegistryError) {
        try DurableFile.makeDirectory(directory)
        for end in ["", "-wal"] where FileManager.default.fileExists(atPath: path + end) {
            let target = "\(directory)/\((path as NSString).lastPathComponent)\(end)"
            do {
                try FileManager.default.copyItem(atPath: path + end, toPath: target)
                try DurableFile.synchronize(target)
            } catch { throw .storage("\(target) cannot be written: \(error.localizedDescription)") }
        }
    }
}
