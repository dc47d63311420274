import HTTPTypes
import Hummingbird
import Registry
import SessionCore

/// Who may use the server: tenants, and the users that tokens are made for.
extension APIRoutes {
    var accountEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/tenants", .role(.admin)) { call in
                let found = try await tokens.tenants(as: call.authenticated())
                return try .json(PageDocument(items: found.map { AccountDocument($0) }, nextCursor: nil))
            },
            Endpoint(.post, "/v1/tenants", .role(.operator)) { call in
                let fields = try BodyFields(await call.json(), allowed: ["name"])
                let made = try await tokens.createTenant(
                    fields.requiredString("name", most: 128), by: call.authenticated())
                return try .json(AccountDocument(made), status: .created)
            },
            Endpoint(.get, "/v1/users", .role(.admin)) { call in
                let found = try await tokens.users(of: call.query["tenant"], as: call.authenticated())
                return try .json(PageDocument(items: found.map { AccountDocument($0) }, nextCursor: nil))
            },
            Endpoint(.post, "/v1/users", .role(.admin)) { call in
                let fields = try BodyFields(await call.json(), allowed: ["name", "tenant"])
                let name = UserName(
                    tenant: try fields.string("tenant", most: 128), user: try fields.requiredString("name", most: 128))
                return try .json(
                    AccountDocument(await tokens.createUser(name, by: call.authenticated())), status: .created)
            },
        ]
    }
}
