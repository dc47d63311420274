import Foundation
import HTTPTypes
import Hummingbird
import Registry

/// What sessions, users and tenants may spend.
extension APIRoutes {
    var budgetEndpoints: [Endpoint] {
        [
            Endpoint(.get, "/v1/budgets", .role(.admin)) { call in
                let standings = try await budgets.list(as: call.authenticated())
                return try .json(PageDocument(items: standings.map { BudgetDocument($0) }, nextCursor: nil))
            },
            Endpoint(.put, "/v1/budgets", .role(.admin)) { call in
                let body = try BudgetBody(body: await call.json())
                let standing = try await budgets.set(
                    body.target, body.period, limit: body.limit, by: call.authenticated())
                return try .json(BudgetDocument(standing))
            },
            Endpoint(.delete, "/v1/budgets/{id}", .role(.admin)) { call in
                guard let id = Int64(try call.parameter("id")) else {
                    throw Problem(404, "not_found", "a budget's id is a number")
                }
                try await budgets.remove(id, by: call.authenticated())
                return Response(status: .noContent)
            },
        ]
    }
}
