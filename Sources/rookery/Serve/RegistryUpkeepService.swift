import Foundation
import ServiceLifecycle
import Supervisor

/// Backs the registry up on a schedule, and soon after tenants, users or tokens have changed.
struct RegistryUpkeepService: Service {
    let supervisor: SessionSupervisor
    /// Between two backups, in seconds, where nothing else asks for one.
    static let interval: TimeInterval = 3600
    /// Between two looks.
    private static let tick: Duration = .seconds(15)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await supervisor.tendRegistry(backupEvery: Self.interval)
                try? await Task.sleep(for: Self.tick)
            }
        }
    }
}
