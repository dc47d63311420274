public import Registry
public import Supervisor

/// Tenants and their users, as the API asks for them.
extension RegistryTokens {
    public func tenants(as principal: Principal) async throws(SupervisorError) -> [TenantRecord] {
        do throws(RegistryError) {
            return try await registry.tenants().filter {
                principal.role == .operator || $0.id == principal.tenantID
            }
        } catch {
            throw Self.refusal(error)
        }
    }

    public func createTenant(_ name: String, by principal: Principal) async throws(SupervisorError) -> TenantRecord {
        guard principal.role == .operator else {
            throw SupervisorError(.forbidden, "only an operator makes tenants")
        }
        do throws(RegistryError) {
            return try await registry.createTenant(name, by: principal.name)
        } catch {
            throw Self.refusal(error)
        }
    }

    public func users(of tenant: String?, as principal: Principal) async throws(SupervisorError) -> [UserView] {
        var tenants = try await tenants(as: principal)
        if let tenant {
            tenants.removeAll { $0.name != tenant }
            guard !tenants.isEmpty else {
                throw SupervisorError(.notFound, "there is no tenant '\(tenant.prefix(128))'")
            }
        }
        var found: [UserView] = []
        do throws(RegistryError) {
            for tenant in tenants {
                found += try await registry.users(tenantID: tenant.id).map {
                    UserView(name: $0.name, tenant: tenant.name, createdAt: $0.createdAt)
                }
            }
        } catch {
            throw Self.refusal(error)
        }
        return found
    }

    public func createUser(_ name: UserName, by principal: Principal) async throws(SupervisorError) -> UserView {
        let owner = try await registry.owner(tenant: name.tenant, user: nil, asked: principal)
        do throws(RegistryError) {
            let made = try await registry.createUser(name.user, tenantID: owner.tenantID, by: principal.name)
            let tenant = try await registry.tenants().first { $0.id == owner.tenantID }
            return UserView(name: made.name, tenant: tenant?.name ?? "", createdAt: made.createdAt)
        } catch {
            throw Self.refusal(error)
        }
    }
}
