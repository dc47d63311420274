import Foundation
import Registry
import Supervisor

@testable import API

/// Credentials that are kept nowhere.
struct FakeCredentials: CredentialService {
    static let row = CredentialRow(
        id: 7, tenantID: 1, tenant: "default", userID: nil, user: nil, kind: "api_key", sealed: Data("sealed".utf8),
        version: 2, expiresAt: nil, fault: nil, updatedAt: Date(timeIntervalSince1970: 1_000_000), updatedBy: "admin")

    func list(as principal: Principal) async throws(SupervisorError) -> [CredentialRow] { [Self.row] }

    func set(
        _ credential: ModelCredential, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> CredentialRow { Self.row }

    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        guard id == Self.row.id else { throw SupervisorError(.notFound, "there is no credential \(id)") }
    }
}
