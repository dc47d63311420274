public import Registry
public import Supervisor

/// What the API asks of the credentials for the model: exactly the calls of `CredentialVault`.
public protocol CredentialService: Sendable {
    func list(as principal: Principal) async throws(SupervisorError) -> [CredentialRow]
    func set(
        _ credential: ModelCredential, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> CredentialRow
    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError)
}

extension CredentialVault: CredentialService {}
