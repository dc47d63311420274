import Foundation
import Logging
import Policy
import ServiceLifecycle
import Supervisor
import UnixSignals

/// SIGHUP: policies and the log level are read again. What cannot change while the supervisor runs stays as it is, and
/// a mistake leaves everything as it was.
struct ReloadService: Service {
    let supervisor: SessionSupervisor
    let bodies: PolicyBodies
    let log: ServerLog.Output
    let logger: Logger
    let reread: @Sendable () throws -> ServeConfiguration

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            do {
                let configuration = try reread()
                let policies = try PolicyStore(directory: configuration.policies)
                await supervisor.use(policies)
                bodies.use(policies)
                log.set(configuration.logLevel)
                logger.notice("configuration read again", metadata: ["policies": "\(policies.names)"])
            } catch {
                logger.error("configuration not taken over: it stays as it was", metadata: ["error": "\(error)"])
            }
        }
    }
}
