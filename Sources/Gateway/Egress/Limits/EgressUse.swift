import Foundation
import NIOCore
import Policy

/// One connection's share of its session's and its tenant's accounts.
final class EgressUse: Sendable {
    let grant: EgressGrant
    private let session: EgressAccount
    private let tenant: EgressAccount

    /// - Throws: when session or tenant have what they may.
    init(
        _ grant: EgressGrant, session: EgressAccount, tenant: EgressAccount, for target: EgressDestination
    ) throws(EgressRefusal) {
        let day = EgressDay.now
        if session.isSpent(grant.egress.sessionLimits, day: day) {
            throw .dailyBytes(grant, target, ofTenant: false)
        }
        if tenant.isSpent(grant.egress.tenantLimits, day: day) { throw .dailyBytes(grant, target, ofTenant: true) }
        guard session.open(grant.egress.sessionLimits) else { throw .connections(grant, target, ofTenant: false) }
        guard tenant.open(grant.egress.tenantLimits) else {
            session.close()
            throw .connections(grant, target, ofTenant: true)
        }
        session.opened(day: day)
        self.grant = grant
        self.session = session
        self.tenant = tenant
    }

    /// To be called once, when the connection is over.
    func close() {
        session.close()
        tenant.close()
    }

    enum Passage: Hashable {
        case free
        case pause(TimeAmount)
        case spent(ofTenant: Bool)
    }

    func take(sent: Int = 0, received: Int = 0) -> Passage {
        let (day, ticks) = (EgressDay.now, NIODeadline.now().uptimeNanoseconds)
        let own = session.take(
            sent: sent, received: received, grant.egress.sessionLimits, day: day, ticks: ticks, books: true)
        let all = tenant.take(
            sent: sent, received: received, grant.egress.tenantLimits, day: day, ticks: ticks, books: false)
        switch (own, all) {
        case (.spent, _): return .spent(ofTenant: false)
        case (_, .spent): return .spent(ofTenant: true)
        case (.free, .free): return .free
        case (.pause(let own), .pause(let all)): return .pause(.nanoseconds(max(own, all)))
        case (.pause(let time), .free), (.free, .pause(let time)): return .pause(.nanoseconds(time))
        }
    }
}
