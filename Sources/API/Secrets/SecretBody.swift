import Policy
import SessionCore
import Supervisor

/// The body of `PUT /v1/secrets`.
struct SecretBody {
    var secret: ToolSecret
    var tenant: String?
    var user: String?

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["name", "hosts", "value", "tenant", "user"])
        var hosts: [EgressHost]?
        if let names = try fields.texts("hosts", most: ToolSecret.mostHosts, longest: 254) {
            hosts = []
            for name in names {
                guard let host = EgressHost(name) else {
                    throw Problem.invalid("'hosts' has '\(name)', which is not a host", field: "hosts")
                }
                hosts?.append(host)
            }
        }
        secret = ToolSecret(
            name: try fields.requiredString("name", most: 64), hosts: hosts,
            value: try fields.requiredString("value", most: ToolSecret.longest))
        tenant = try fields.string("tenant", most: 128)
        user = try fields.string("user", most: 128)
        // Here, before any of it is kept: what is wrong is said without the value.
        if let problem = secret.problem { throw Problem.invalid(problem.detail, field: problem.field) }
    }
}
