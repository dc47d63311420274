import Dispatch
public import Foundation
import GRDB
import Synchronization

extension SessionRegistry {
    /// What backs up the registry of a state directory.
    public var backups: BackupStore { BackupStore(stateDirectory: directory) }

    /// Makes a backup now; sessions and requests go on meanwhile.
    @discardableResult
    public func backUp(at now: Date = Date()) async throws(RegistryError) -> RegistryBackup {
        let changes = accountChanges.withLock { $0 }
        // First what is in the log goes into the file: a registry that loses its log is then never older than this backup.
        let backup: RegistryBackup
        do {
            try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
            backup = try await Self.onAnotherThread { try self.backups.make(of: self.pool, at: now) }
        } catch {
            throw RegistryError(error)
        }
        accountsInBackup.withLock { $0 = max($0, changes) }
        return backup
    }

    /// Makes a backup when the newest is older than `interval`, or knows less of tenants, users and tokens than the
    /// registry does: those are nowhere else.
    /// - Returns: nil when none was due.
    public func backUpIfDue(
        every interval: TimeInterval, at now: Date = Date()
    ) async throws(RegistryError) -> RegistryBackup? {
        let newest = backups.all().first?.time ?? .distantPast
        let isBehind = accountsInBackup.withLock { $0 } < accountChanges.withLock { $0 }
        // A clock that went back makes no backup look new for ever.
        guard isBehind || abs(now.timeIntervalSince(newest)) >= interval else { return nil }
        return try await backUp(at: now)
    }

    /// One transaction that changes tenants, users or tokens.
    func writeAccounts<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(RegistryError) -> Value {
        let value = try await write(body)
        accountChanges.withLock { $0 += 1 }
        return value
    }

    /// Runs what blocks its thread for long on a thread that may be blocked.
    private static func onAnotherThread<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }
}
