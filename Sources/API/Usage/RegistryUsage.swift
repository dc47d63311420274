public import Foundation
public import Gateway
public import Registry
public import SessionCore
public import Supervisor

/// The registry's accounts, as the API asks for them.
public struct RegistryUsage: UsageService {
    private let registry: SessionRegistry
    private let gateway: ModelGateway
    /// Where all go whose credential names no other.
    private let upstream: String
    private let egress: EgressCounters

    public init(_ registry: SessionRegistry, gateway: ModelGateway, upstream: String, egress: EgressCounters) {
        self.registry = registry
        self.gateway = gateway
        self.upstream = upstream
        self.egress = egress
    }

    public func modelChecks() -> [String: String] { ModelChecks.of(gateway.health.standings, upstream: upstream) }

    public func usage(_ query: UsageQuery, as principal: Principal) async throws(SupervisorError) -> [UsageRow] {
        do throws(RegistryError) { return try await registry.usage(query, visibleTo: principal) } catch {
            throw RegistryTokens.refusal(error)
        }
    }

    public func requests(
        of id: SessionID, limit: Int, cursor: String?, as principal: Principal
    ) async throws(SupervisorError) -> (items: [LoggedRequest], nextCursor: String?) {
        do throws(RegistryError) {
            return try await registry.requests(of: id, limit: limit, cursor: cursor, visibleTo: principal)
        } catch {
            throw RegistryTokens.refusal(error)
        }
    }

    public func request(
        _ request: UUID, of id: SessionID, as principal: Principal
    ) async throws(SupervisorError) -> (request: LoggedRequest, bodies: LoggedBodies?)? {
        do throws(RegistryError) { return try await registry.request(request, of: id, visibleTo: principal) } catch {
            throw RegistryTokens.refusal(error)
        }
    }

    public func metrics() async throws(SupervisorError) -> String {
        let rows: [UsageRow]
        do throws(RegistryError) {
            rows = try await registry.usage(UsageQuery(groups: [.tenant, .model]), visibleTo: .wholeBox)
        } catch {
            throw RegistryTokens.refusal(error)
        }
        return MetricsText(
            usage: rows, gateway: gateway.counters.now, load: gateway.load, upstreams: gateway.health.standings
        ).text + EgressMetrics(egress.now).text
    }
}

extension Principal {
    /// Who asks for sums over everybody.
    fileprivate static let wholeBox = Principal(tenantID: 0, userID: 0, name: "metrics", role: .operator, tokenID: nil)
}
