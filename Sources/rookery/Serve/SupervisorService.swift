import ServiceLifecycle
import Supervisor

/// Ends the supervisor with the service group. It runs by itself; this only waits.
struct SupervisorService: Service {
    let supervisor: SessionSupervisor
    let stopsSessions: Bool

    func run() async throws {
        try? await gracefulShutdown()
        await supervisor.shutdown(stopSessions: stopsSessions)
    }
}
