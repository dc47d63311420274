import Foundation
import Registry
import SessionCore
import Supervisor

@testable import API

/// Share links named after their roles, to one session: `rs_view_secret` and so on.
actor FakeShares: ShareService {
    private var session: SessionID?
    private var revoked: Set<String> = []

    static func token(_ role: ShareRole) -> String { "rs_\(role.rawValue)_secret" }

    func open(_ session: SessionID) { self.session = session }

    func principal(share: String) async throws(SupervisorError) -> Principal? {
        guard let role = ShareRole.allCases.first(where: { Self.token($0) == share }) else { return nil }
        return try await principal(shareID: role.rawValue)
    }

    func principal(shareID: String) async throws(SupervisorError) -> Principal? {
        guard let session, let role = ShareRole(rawValue: shareID), !revoked.contains(shareID) else { return nil }
        return Principal(
            Principal.Share(id: shareID, session: session, role: role, expires: Date(timeIntervalSinceNow: 3600)),
            label: nil, tenantID: 1)
    }

    private func record(_ role: ShareRole, expiresAt: Date) -> ShareRecord {
        ShareRecord(
            publicID: role.rawValue, sessionID: session ?? SessionID(), role: role, label: nil, createdBy: "ann",
            createdAt: Date(), expiresAt: expiresAt)
    }

    func shares(of session: SessionID, as principal: Principal) async throws(SupervisorError) -> [ShareRecord] {
        ShareRole.allCases.filter { !revoked.contains($0.rawValue) }.map {
            record($0, expiresAt: Date(timeIntervalSinceNow: 3600))
        }
    }

    func createShare(
        of session: SessionID, role: ShareRole, name: String?, expiresAt: Date, by principal: Principal
    ) async throws(SupervisorError) -> (record: ShareRecord, token: String) {
        self.session = session
        return (record(role, expiresAt: expiresAt), Self.token(role))
    }

    func deleteShare(
        _ id: String, of session: SessionID, by principal: Principal
    ) async throws(SupervisorError) {
        guard session == self.session, revoked.insert(id).inserted else {
            throw SupervisorError(.notFound, "the session \(session) has no share link '\(id)'")
        }
    }
}
