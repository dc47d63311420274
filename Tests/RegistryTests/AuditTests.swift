import Crypto
import Foundation
import Registry
import SessionCore
import Testing

@Suite struct AuditTests {
    private static let time = Date(timeIntervalSince1970: 1_790_000_000)

    @Test func `credentials and budgets are set and removed with a word in the audit, never with a secret`()
        async throws
    {
        try await withRegistry { registry in
            let admin = try await registry.person("root", role: .admin)
            let session = try await registry.make(admin).id
            let owner = CredentialOwner(tenantID: admin.tenantID, userID: nil)
            let scope = BudgetScope(tenantID: admin.tenantID, sessionID: session)
            for secret in ["sealed-one", "sealed-two"] {
                _ = try await registry.setCredential(
                    Data(secret.utf8), kind: "bearer", owner: owner, expiresAt: nil, by: "root", at: Self.time)
            }
            let credential = try #require(try await registry.credentials().first)
            let budget = try #require(
                try await registry.setBudget(scope, .day, limit: 1_500_000_000, isOperators: false, by: "root"))
            try await registry.removeBudget(budget.id, by: "ann")
            try await registry.removeBudget(budget.id, by: "ann")
            #expect(try await !registry.removeCredential(credential.id, tenantID: admin.tenantID + 1, by: "eve"))
            #expect(try await registry.removeCredential(credential.id, tenantID: admin.tenantID, by: "root"))

            let kept = try await registry.audit(visibleTo: admin, before: nil, limit: 50)
            #expect(
                kept.reversed().map { "\($0.actor) \($0.action) \($0.sessionID == session.description)" } == [
                    "root credential.set false", "root credential.set false", "root budget.set true",
                    "ann budget.remove true", "root credential.remove false",
                ])
            #expect(kept.reversed().map { $0.detail["version"]?.integer } == [1, 2, nil, nil, 2])
            #expect(kept[2].detail["limit_usd"] == .number(1.5))
            #expect(!kept.contains { "\($0.detail)".contains("sealed") })
        }
    }

    @Test func `each entry's hash covers the one before`() async throws {
        try await withRegistry { registry in
            let admin = try await registry.person("root", role: .admin)
            let session = try await registry.make(admin).id
            let entries = [
                AuditEntry(
                    tenantID: admin.tenantID, time: Self.time, actor: "a", action: "permission.answer",
                    session: session, seq: 7, detail: ["id": "1"]),
                AuditEntry(
                    tenantID: admin.tenantID, time: Self.time, actor: "b", action: "credential.set", detail: [:]),
            ]
            // The first event is told twice, and kept once.
            for entry in [entries[0], entries[0], entries[1]] { try await registry.audit(entry) }
            let kept = Array(try await registry.audit(visibleTo: admin, before: nil, limit: 50).reversed())
            #expect(kept.map(\.actor) == ["a", "b"])
            var hash = Data(count: 32)
            for (record, fields) in zip(kept, [["\(session)", "7", #"{"id":"1"}"#], ["", "", "{}"]]) {
                let text = (["\(admin.tenantID)", "1790000000000", record.actor, record.action] + fields)
                    .map { "\($0.utf8.count):\($0)" }.joined()
                hash = Data(SHA256.hash(data: hash + Data(text.utf8)))
                #expect(record.hash == hash)
            }
        }
    }
}
