import Foundation
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

    /// The one of which something is kept.
    static let request = UUID(uuidString: "11111111-2222-3333-4444-555555555555") ?? UUID()

    func request(
        _ request: UUID, of id: SessionID, as principal: Principal
    ) async throws(SupervisorError) -> (request: LoggedRequest, bodies: LoggedBodies?)? {
        guard request == Self.request else { return nil }
        let line = LoggedRequest(
            id: request, sessionID: id, method: "POST", path: "/v1/messages", outcome: "complete", model: nil,
            status: 200, requestID: nil, tokens: Self.tokens,
            startedAt: Date(timeIntervalSince1970: 0), firstByteAt: nil, endedAt: nil)
        // Cut within the ü; and what is no text at all.
        let bodies = LoggedBodies(
            request: Data(Array("gr".utf8) + [0xC3]), requestBytes: 6, answer: Data([0xFF, 0x00]), answerBytes: 2)
        return (line, bodies)
    }

    func modelChecks() -> [String: String] { ["model": "ok"] }

    func metrics() async throws(SupervisorError) -> String { "rookery_up 1\n" }
}
