import Foundation
import Registry
import Supervisor

@testable import API

/// Secrets for tools that are kept nowhere.
struct FakeSecrets: SecretService {
    static let row = ToolSecretRow(
        id: 7, tenantID: 1, tenant: "default", userID: nil, user: nil, name: "git", hosts: ["github.com"],
        sealed: Data("sealed".utf8), version: 2, updatedAt: Date(timeIntervalSince1970: 1_000_000), updatedBy: "admin")

    func list(as principal: Principal) async throws(SupervisorError) -> [ToolSecretRow] { [Self.row] }

    func set(
        _ secret: ToolSecret, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> ToolSecretRow { Self.row }

    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        guard id == Self.row.id else { throw SupervisorError(.notFound, "there is no secret \(id)") }
    }
}
