public import Foundation
public import Registry
public import SessionCore
public import Supervisor

/// Who holds which share link. The registry is the one in production; it keeps only hashes.
public protocol ShareService: Sendable {
    /// Whoever a link as it was shown (`rs_<public id>_<secret>`) lets in; nil for one that does not work.
    func principal(share: String) async throws(SupervisorError) -> Principal?
    /// Whoever the link with this public id lets in; nil once it is revoked or has expired.
    func principal(shareID: String) async throws(SupervisorError) -> Principal?
    /// The links of a session that the caller may change.
    func shares(of session: SessionID, as principal: Principal) async throws(SupervisorError) -> [ShareRecord]
    /// Makes a link to a session that the caller may change. The secret is in the answer and nowhere else.
    func createShare(
        of session: SessionID, role: ShareRole, name: String?, expiresAt: Date, by principal: Principal
    ) async throws(SupervisorError) -> (record: ShareRecord, token: String)
    /// Revokes a link: it lets nobody in any more.
    func deleteShare(_ id: String, of session: SessionID, by principal: Principal) async throws(SupervisorError)
}

/// The registry's share links, as the API asks for them.
public struct RegistryShares: ShareService {
    private let registry: SessionRegistry

    public init(_ registry: SessionRegistry) { self.registry = registry }

    public func principal(share: String) async throws(SupervisorError) -> Principal? {
        try await asked { () async throws(RegistryError) in try await registry.principal(ofShare: share) }
    }

    public func principal(shareID: String) async throws(SupervisorError) -> Principal? {
        try await asked { () async throws(RegistryError) in try await registry.principal(ofShareID: shareID) }
    }

    public func shares(of session: SessionID, as principal: Principal) async throws(SupervisorError) -> [ShareRecord] {
        let found = try await asked { () async throws(RegistryError) in
            try await registry.shares(of: session, visibleTo: principal)
        }
        guard let found else { throw SupervisorError(.notFound, "there is no session \(session)") }
        return found
    }

    public func createShare(
        of session: SessionID, role: ShareRole, name: String?, expiresAt: Date, by principal: Principal
    ) async throws(SupervisorError) -> (record: ShareRecord, token: String) {
        let made = try await asked { () async throws(RegistryError) in
            try await registry.createShare(
                of: session, role: role, label: name, expiresAt: expiresAt, by: principal)
        }
        guard let made else { throw SupervisorError(.notFound, "there is no session \(session)") }
        return (made.record, made.token)
    }

    public func deleteShare(
        _ id: String, of session: SessionID, by principal: Principal
    ) async throws(SupervisorError) {
        let isRevoked = try await asked { () async throws(RegistryError) in
            try await registry.revokeShare(id, of: session, by: principal)
        }
        guard isRevoked else {
            throw SupervisorError(.notFound, "the session \(session) has no share link '\(id.prefix(40))'")
        }
    }

    private func asked<Value: Sendable>(
        _ ask: () async throws(RegistryError) -> Value
    ) async throws(SupervisorError) -> Value {
        do throws(RegistryError) { return try await ask() } catch { throw RegistryTokens.refusal(error) }
    }
}
