public import Foundation
public import Registry
public import SessionCore
public import Supervisor

/// What the API asks about what was used.
public protocol UsageService: Sendable {
    func usage(_ query: UsageQuery, as principal: Principal) async throws(SupervisorError) -> [UsageRow]
    func requests(
        of id: SessionID, limit: Int, cursor: String?, as principal: Principal
    ) async throws(SupervisorError) -> (items: [LoggedRequest], nextCursor: String?)
    /// One of them, with what is kept of its bodies.
    func request(
        _ request: UUID, of id: SessionID, as principal: Principal
    ) async throws(SupervisorError) -> (request: LoggedRequest, bodies: LoggedBodies?)?
    /// Whether the model API answers, for `/readyz`: names of parts, and `ok` or what is wrong. Without names of upstreams,
    /// which are tenants' own business.
    func modelChecks() -> [String: String]
    /// Everything that is monitored, in Prometheus' text format.
    func metrics() async throws(SupervisorError) -> String
}
