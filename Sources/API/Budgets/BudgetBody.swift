import Registry
import SessionCore
import Supervisor

/// The body of `PUT /v1/budgets`.
struct BudgetBody {
    /// In USD; more is no budget.
    static let largest = 1_000_000.0

    var target: BudgetTarget
    var period: BudgetPeriod
    /// In nano-USD.
    var limit: Int64

    init(body: JSONValue) throws(Problem) {
        let fields = try BodyFields(body, allowed: ["tenant", "user", "session_id", "period", "limit_usd"])
        target = BudgetTarget(
            tenant: try fields.string("tenant", most: 128), user: try fields.string("user", most: 128),
            session: try fields.sessionID("session_id"))
        if target.session != nil, target.user != nil || target.tenant != nil {
            throw Problem.invalid(
                "a budget is a session's, a user's or a tenant's: 'session_id' stands alone", field: "session_id")
        }
        guard let period = try fields.choice("period", of: BudgetPeriod.self) else {
            throw Problem.invalid("'period' is missing: day or month", field: "period")
        }
        self.period = period
        let usd = try fields.number("limit_usd", in: 0...Self.largest)
        limit = Int64((usd * 1e9).rounded())
    }
}
