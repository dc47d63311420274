import Foundation
import Hummingbird
import Policy
import Registry
import SessionCore

/// What a session can be made under.
extension APIRoutes {
    var policyEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/policies", .role(.viewer)) { call in
                let role = try call.authenticated().role
                let policies = await sessions.policies().all
                return try .json(PageDocument(items: policies.map { try document($0, for: role) }, nextCursor: nil))
            },
            Endpoint(.get, "/v1/policies/{name}", .role(.viewer)) { call in
                let role = try call.authenticated().role
                let name = try call.parameter("name")
                guard let policy = await sessions.policies().policy(named: name) else {
                    throw Problem(404, "not_found", "there is no policy '\(name.prefix(80))'")
                }
                return try .json(try document(policy, for: role))
            },
        ]
    }

    /// A policy in the shape of its file. The host's directories are the administrator's to know; who makes sessions
    /// sees their environment anyway.
    private func document(_ policy: SessionPolicy, for role: Role) throws -> JSONValue {
        let scope = PolicyTree.Scope(hostPaths: role >= .admin, environment: role >= .user)
        let data = try JSONEncoder.rookery.encode(PolicyTree(policy, scope: scope))
        return try JSONDecoder().decode(JSONValue.self, from: data)
    }
}
