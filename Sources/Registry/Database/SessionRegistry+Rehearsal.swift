import Foundation
import GRDB
import Glibc

extension SessionRegistry {
    /// Finds out whether this version could take the registry of a directory over, beside a supervisor that uses it: on a
    /// copy, which goes again.
    /// - Throws: ``RegistryError`` with what would stop it.
    public static func rehearse(directory: String) throws(RegistryError) {
        let file = RegistryFile(directory: directory)
        guard access(file.path, F_OK) == 0 else { return }
        let copy = "\(directory)/registry.rehearsal.sqlite"
        defer { for end in ["", "-journal", "-wal", "-shm"] { unlink(copy + end) } }
        do {
            try BackupStore.copy(try file.reader(), to: copy)
            let queue = try DatabaseQueue(path: copy, configuration: configuration())
            let migrations = DatabaseMigrator.registry
            guard try !queue.read(migrations.hasBeenSuperseded) else { throw newer(file.path) }
            try migrations.migrate(queue)
            try queue.close()
        } catch { throw RegistryError(error) }
    }
}
