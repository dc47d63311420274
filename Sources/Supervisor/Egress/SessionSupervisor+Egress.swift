public import Foundation
public import Gateway
import Logging
public import Policy
public import Registry
public import SessionCore

/// The gateway's questions about sessions that connect to the world.
extension SessionSupervisor: EgressAuthority {
    public func egressGrant(of session: UUID) async -> EgressGrant? {
        guard let record = entries[SessionID(session)]?.record,
            // What is being stopped may still say good-bye.
            [.starting, .running, .parking, .stopping].contains(record.lifecycle),
            let policy = configuration.policies.policy(named: record.policy), policy.sandbox.network == .proxy
        else { return nil }
        return EgressGrant(policy: policy.name, egress: policy.egress, narrowed: record.egress, tenant: record.tenantID)
    }

    public func egressBooked(
        of session: UUID, tenant: Int64, day: String
    ) async throws -> (session: Int64, tenant: Int64) {
        try await registry.egressBooked(of: SessionID(session), tenant: tenant, day: day)
    }

    public func egressSecret(
        named name: String, for session: UUID, to host: EgressHost
    ) async throws(EgressSecretFault) -> String {
        guard let secrets = configuration.secrets else { throw .notSet }
        return try await secrets.value(of: name, for: session, to: host)
    }

    public func book(_ bookings: [EgressBooking]) async throws {
        try await registry.bookEgress(
            bookings.map {
                EgressDayRecord(
                    sessionID: SessionID($0.session), day: $0.day, sent: $0.sent, received: $0.received,
                    connections: $0.connections)
            })
    }

    public func egressRefused(_ session: UUID, _ refused: EgressRefused) async {
        let id = SessionID(session)
        guard let entry = entries[id] else { return }
        await tell(
            entry, .egressRefused,
            [
                "target": .string(refused.target), "reason": .string(refused.reason),
                "detail": .string(refused.detail), "count": .integer(Int64(refused.count)),
            ])
        let now = clock.now()
        do throws(RegistryError) {
            try await registry.recordEgressRefusal(
                EgressRefusalRecord(
                    target: refused.target, reason: refused.reason, detail: refused.detail,
                    count: Int64(refused.count), firstAt: now, lastAt: now), of: id)
        } catch {
            logger.warning(
                "a refusal is not written down", metadata: ["session": "\(id)", "error": "\(error)"])
        }
    }
}

extension SessionSupervisor {
    /// Days of its account that are shown.
    private static let shownDays = 31

    public func egress(_ id: SessionID, as principal: Principal) async throws(SupervisorError) -> EgressView {
        let record = try await visible(id, to: principal)
        let rules = configuration.policies.policy(named: record.policy)?.egress
        let (days, refusals) = try await stored { () async throws(RegistryError) in
            (
                try await registry.egressDays(of: id, limit: Self.shownDays),
                try await registry.egressRefusals(of: id)
            )
        }
        // A policy that is gone lets nothing out.
        return EgressView(
            policy: record.policy, rules: rules ?? EgressPolicy(), narrowed: record.egress, days: days,
            refusals: refusals)
    }
}
