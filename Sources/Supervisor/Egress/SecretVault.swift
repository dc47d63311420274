import Foundation
import Gateway
public import Logging
import Policy
public import Registry
import SessionCore

/// Knows the values that the gateway adds to requests of tools: a session's user's own, else its tenant's, else a file's
/// that the operator keeps for all. They are sealed in the registry and opened for each request, so that a new value holds
/// at once and none stays in memory.
public struct SecretVault: Sendable {
    private let registry: SessionRegistry
    private let key: SealingKey
    private let files: ToolSecrets?
    private let owners: SessionOwners
    private let logger: Logger

    public init(registry: SessionRegistry, key: SealingKey, files: ToolSecrets?, logger: Logger) {
        self.registry = registry
        self.key = key
        self.files = files
        self.logger = logger
        owners = SessionOwners(registry)
    }

    // MARK: - For the gateway

    /// The nearest of that name counts, and no other in its place: neither for a host that it is not for, nor when it does
    /// not open.
    func value(
        of name: String, for session: UUID, to host: EgressHost
    ) async throws(EgressSecretFault) -> String {
        let nearest: ToolSecretRow?
        do throws(RegistryError) { nearest = try await row(named: name, for: SessionID(session)) } catch {
            throw .unusable("\(error)")
        }
        if let row = nearest {
            guard row.hosts.contains(host.text) else { throw .otherHost }
            guard let bytes = key.open(row.sealed, for: row.seal) else {
                throw .unusable(
                    "secret \(row.id) of tenant '\(row.tenant)' does not open with this key: set it again")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        let kept: String?
        do throws(ToolSecrets.Unusable) { kept = try files?.value(of: name) } catch {
            throw .unusable(error.description)
        }
        guard let kept else { throw .notSet }
        return kept
    }

    private func row(named name: String, for session: SessionID) async throws(RegistryError) -> ToolSecretRow? {
        guard let owner = try await owners.owner(of: session) else { return nil }
        if let own = try await registry.toolSecret(named: name, of: owner) { return own }
        return try await registry.toolSecret(
            named: name, of: CredentialOwner(tenantID: owner.tenantID, userID: nil))
    }

    // MARK: - For the API

    /// Those of the caller's tenant, without their values; an operator's: all.
    public func list(as principal: Principal) async throws(SupervisorError) -> [ToolSecretRow] {
        let tenant = principal.role == .operator ? nil : principal.tenantID
        return try await stored { () async throws(RegistryError) in try await registry.toolSecrets(tenantID: tenant) }
    }

    /// Sets or rotates the secret of a tenant, or of one of its users. It counts from the next request.
    ///
    /// Whoever changes the hosts brings the value: nobody sends what others have set to where it was not meant to go.
    public func set(
        _ secret: ToolSecret, tenant: String?, user: String?, by principal: Principal
    ) async throws(SupervisorError) -> ToolSecretRow {
        if let problem = secret.problem { throw SupervisorError(.invalid, problem.detail) }
        let owner = try await registry.owner(tenant: tenant, user: user, asked: principal)
        let hosts: [String]
        if let named = secret.hosts {
            hosts = Set(named.map(\.text)).sorted()
        } else {
            let known = try await stored { () async throws(RegistryError) in
                try await registry.toolSecret(named: secret.name, of: owner)
            }
            guard let known else {
                throw SupervisorError(
                    .invalid, "there is no secret '\(secret.name)' yet: 'hosts' must say where it may be sent")
            }
            hosts = known.hosts
        }
        let sealed: Data
        do {
            sealed = try key.seal(Data(secret.value.utf8), for: owner.seal(of: secret.name, for: hosts))
        } catch { throw SupervisorError(.invalid, "the secret cannot be sealed") }
        let row = try await stored { () async throws(RegistryError) in
            try await registry.setToolSecret(
                sealed, named: secret.name, hosts: hosts, owner: owner, by: principal.name)
        }
        tell("secret set", row, by: principal)
        return row
    }

    public func remove(_ id: Int64, by principal: Principal) async throws(SupervisorError) {
        let tenant = principal.role == .operator ? nil : principal.tenantID
        let removed = try await stored { () async throws(RegistryError) in
            try await registry.removeToolSecret(id, tenantID: tenant, by: principal.name)
        }
        guard let row = removed else { throw SupervisorError(.notFound, "there is no secret \(id)") }
        tell("secret removed", row, by: principal)
    }

    private func tell(_ what: Logger.Message, _ row: ToolSecretRow, by principal: Principal) {
        logger.notice(
            what,
            metadata: [
                "tenant": "\(row.tenant)", "user": "\(row.user ?? "-")", "secret": "\(row.name)",
                "hosts": "\(row.hosts.joined(separator: ","))", "by": "\(principal.name)",
            ])
    }
}

extension CredentialOwner {
    /// What a sealed secret is bound to: with other hosts, or for another owner, it does not open.
    fileprivate func seal(of name: String, for hosts: [String]) -> String {
        "rookery tool secret, tenant \(tenantID), user \(userID.map(String.init) ?? "all"), name \(name), hosts "
            + hosts.joined(separator: " ")
    }
}

extension ToolSecretRow {
    fileprivate var seal: String { owner.seal(of: name, for: hosts) }
}
