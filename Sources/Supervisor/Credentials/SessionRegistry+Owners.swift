public import Registry

extension SessionRegistry {
    /// Whom an administrator means by names: a tenant, or one of its users. Another tenant is an operator's to name.
    /// - Throws: ``SupervisorError`` (`notFound`) for whoever is not there, or not to be seen.
    public func owner(
        tenant: String?, user: String?, asked principal: Principal
    ) async throws(SupervisorError) -> CredentialOwner {
        var owner = CredentialOwner(tenantID: principal.tenantID, userID: nil)
        if let tenant {
            let found = try await stored { () async throws(RegistryError) in try await self.tenant(named: tenant) }
            guard let found, principal.role == .operator || found.id == principal.tenantID else {
                throw SupervisorError(.notFound, "there is no tenant '\(tenant.prefix(128))'")
            }
            owner.tenantID = found.id
        }
        if let user {
            let id = owner.tenantID
            let found = try await stored { () async throws(RegistryError) in
                try await self.user(named: user, tenantID: id)
            }
            guard let found else { throw SupervisorError(.notFound, "there is no user '\(user.prefix(128))'") }
            owner.userID = found.id
        }
        return owner
    }
}
