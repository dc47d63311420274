import ServiceLifecycle
import Supervisor

/// Ends the supervisor with the service group. It runs by itself; this only waits.
struct SupervisorService: Service {
    let supervisor: SessionSupervisor
    /// Asked at the end.
    let stopsSessions: @Sendable () -> Bool

    init(supervisor: SessionSupervisor, stopsSessions: @escaping @Sendable () -> Bool) {
        self.supervisor = supervisor
        self.stopsSessions = stopsSessions
    }

    func run() async throws {
        try? await gracefulShutdown()
        await supervisor.shutdown(stopSessions: stopsSessions())
    }
}
