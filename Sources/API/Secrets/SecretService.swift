public import Registry
public import Supervisor

/// What the API asks of the secrets for tools: exactly the calls of `SecretVault`.
public protocol SecretService: Sendable {
    func list(as principal: Principal) async throws(SupervisorError) -> [ToolSecretRow]
    func set(
        _ secret: ToolSecret, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> ToolSecretRow
    func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError)
}

extension SecretVault: SecretService {}
