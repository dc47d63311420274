import Registry
import SessionCore
import Supervisor

@testable import API

/// Accounts with one row, which say what they were asked.
struct FakeUsage: UsageService {
    static let tokens = TokenCounts(input: 25, output: 7, cacheRead: 3, cacheWrite: 1, cost: 1_500_000_000)

    func usage(_ query: UsageQuery, as principal: Principal) async throws(SupervisorError) -> [UsageRow] {
        [
            UsageRow(
                day: query.groups.contains(.day) ? query.since : nil, sessionID: query.sessionID,
                model: query.groups.contains(.model) ? "claude-\"x\"" : nil, requests: 2, tokens: Self.tokens)
        ]
    }

    func requests(
        of id: SessionID, limit: Int, cursor: String?, as principal: Principal
    ) async throws(SupervisorError) -> (items: [LoggedRequest], nextCursor: String?) {
        ([], "\(limit)")
    }

    func modelChecks() -> [String: String] { ["model": "ok"] }

    func metrics() async throws(SupervisorError) -> String { "rookery_up 1\n" }
}
