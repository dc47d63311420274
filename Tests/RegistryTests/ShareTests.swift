import Foundation
import SessionCore
import Testing

@testable import Registry

struct ShareTests {
    private static let hour: TimeInterval = 3600

    @Test(arguments: ShareRole.allCases) func aLinkOpensItsSessionAndNoOther(role: ShareRole) async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let (mine, other) = (try await registry.make(alice), try await registry.make(alice))
            let made = try #require(
                try await registry.createShare(
                    of: mine.id, role: role, label: "Bob", expiresAt: Date() + Self.hour, by: alice))
            #expect(try /rs_[a-z0-9]{12}_[0-9a-f]{64}/.wholeMatch(in: made.token) != nil)
            let holder = try #require(try await registry.principal(ofShare: made.token))
            #expect(try await registry.principal(ofShareID: made.record.publicID) == holder)
            #expect(holder.name == "Bob (share link \(made.record.publicID))")
            #expect(try await registry.session(mine.id, visibleTo: holder)?.id == mine.id)
            #expect(try await registry.session(other.id, visibleTo: holder) == nil)
            #expect(try await registry.sessions(SessionQuery(), visibleTo: holder).items.map(\.id) == [mine.id])
            #expect(holder.maySee(mine) && !holder.maySee(other))
            #expect(holder.mayChange(mine) == (role == .drive))
            #expect(!holder.mayChange(other))
            // It makes no further links, and is told of none, but to what it drives.
            let further = try await registry.shares(of: other.id, visibleTo: holder)
            #expect(further == nil)
            #expect(try await registry.principal(ofToken: made.token) == nil)
        }
    }

    @Test func whoMayNotChangeASessionSharesNothingOfIt() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            let made = try #require(
                try await registry.createShare(
                    of: session.id, role: .view, label: nil, expiresAt: Date() + Self.hour, by: alice))
            for stranger in [
                try await registry.person("bob"), try await registry.person("eve", in: "blue", role: .admin),
                try await registry.person("viewer", role: .viewer), try await registry.person("app", role: .approver),
            ] {
                let refused = try await registry.createShare(
                    of: session.id, role: .view, label: nil, expiresAt: Date() + Self.hour, by: stranger)
                #expect(refused == nil, "\(stranger)")
                #expect(try await registry.shares(of: session.id, visibleTo: stranger) == nil)
                #expect(try await !registry.revokeShare(made.record.publicID, of: session.id, by: stranger))
            }
            let admin = try await registry.person("boss", role: .admin)
            #expect(
                try await registry.shares(of: session.id, visibleTo: admin)?.map(\.publicID) == [made.record.publicID])
            #expect(try await registry.revokeShare(made.record.publicID, of: session.id, by: admin))
            #expect(try await registry.principal(ofShare: made.token) == nil)
        }
    }

    @Test func aLinkEndsWithTheTokenThatItWasMadeWith() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            func link(with token: String?) async throws -> (token: String, record: ShareRecord) {
                var maker = alice
                maker.tokenID = token
                return try #require(
                    try await registry.createShare(
                        of: session.id, role: .view, label: nil, expiresAt: Date() + Self.hour, by: maker))
            }
            let tokens = [
                try await registry.createToken(userID: alice.userID, role: .user).record.publicID,
                try await registry.createToken(userID: alice.userID, role: .user).record.publicID,
            ]
            let ends = [try await link(with: tokens[0]), try await link(with: tokens[0])]
            let stays = [try await link(with: tokens[1]), try await link(with: nil)]
            let revoked = try await registry.revokeToken(tokens[0], visibleTo: alice)
            #expect(Set(revoked?.shares ?? []) == Set(ends.map(\.record.publicID)))
            for link in ends { #expect(try await registry.principal(ofShare: link.token) == nil) }
            for link in stays { #expect(try await registry.principal(ofShare: link.token) != nil) }
            // A backup of before does not bring them back.
            #expect(registry.revocations.all().isSuperset(of: ends.map(\.record.publicID)))
            #expect(try await registry.revokeToken(tokens[0], visibleTo: alice)?.shares == [])
        }
    }

    @Test func aLinkEndsByItsTimeByRevocationAndWithItsSession() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice", role: .admin)
            let session = try await registry.make(alice)
            func share() async throws -> (token: String, record: ShareRecord) {
                let made = try await registry.createShare(
                    of: session.id, role: .view, label: nil, expiresAt: Date() + Self.hour, by: alice)
                guard let made else { throw RegistryError.notFound("the session") }
                return made
            }
            let (first, second) = (try await share(), try await share())
            #expect(try await registry.principal(ofShare: first.token, at: Date() + Self.hour + 1) == nil)
            #expect(try await registry.principal(ofShareID: first.record.publicID, at: Date() + Self.hour + 1) == nil)
            let later = try await registry.shares(of: session.id, visibleTo: alice, at: Date() + Self.hour + 1)
            #expect(later == [])
            // Twice is once, and of another session it is none.
            #expect(try await !registry.revokeShare(first.record.publicID, of: SessionID(), by: alice))
            for _ in 0..<2 { #expect(try await registry.revokeShare(first.record.publicID, of: session.id, by: alice)) }
            #expect(try await registry.principal(ofShare: first.token) == nil)
            #expect(try await registry.principal(ofShareID: first.record.publicID) == nil)
            #expect(try await registry.principal(ofShare: second.token) != nil)
            #expect(registry.revocations.all().contains(first.record.publicID))
            let audit = try await registry.audit(visibleTo: alice, before: nil, limit: 10)
            #expect(audit.map(\.action) == ["share.revoke", "share.create", "share.create"])
            #expect(audit.first?.detail["id"]?.string == first.record.publicID)
            #expect(audit.allSatisfy { $0.sessionID == session.id.description && $0.actor == "alice" })
            // Each row holds the one before it.
            #expect(Set(audit.map(\.hash)).count == 3)

            _ = try await registry.transition(
                session.id,
                SessionTransition(
                    from: Set(Lifecycle.allCases), incarnation: 1, to: .deleted, desired: .deleted,
                    reason: .requested, actor: "alice", lastSequence: 0, time: Date()))
            #expect(try await registry.principal(ofShare: second.token) == nil)
        }
    }

    @Test func theSecretIsNotInTheFileAndAWrongOneOpensNothing() async throws {
        let directory = try ScratchDirectory()
        let token: String
        do {
            let registry = try SessionRegistry(directory: directory.path)
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            token = try #require(
                try await registry.createShare(
                    of: session.id, role: .drive, label: nil, expiresAt: Date() + Self.hour, by: alice)
            ).token
            let wrong = token.dropLast() + (token.last == "0" ? "1" : "0")
            #expect(try await registry.principal(ofShare: String(wrong)) == nil)
            #expect(try await registry.principal(ofShare: "rk" + token.dropFirst(2)) == nil)
            for text in ["", "rs_", "rs_abcdefghijkl_", String(repeating: "rs_", count: 10_000)] {
                #expect(try await registry.principal(ofShare: text) == nil)
            }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
            let content = try Data(contentsOf: URL(filePath: "\(directory.path)/\(name)"))
            #expect(content.range(of: Data(token.suffix(64).utf8)) == nil, "\(name)")
        }
    }

    @Test func aSessionHasNoMoreLinksThanAnybodyCanWatch() async throws {
        try await withRegistry { registry in
            let alice = try await registry.person("alice")
            let session = try await registry.make(alice)
            func share(_ label: String?) async throws {
                _ = try await registry.createShare(
                    of: session.id, role: .view, label: label, expiresAt: Date() + Self.hour, by: alice)
            }
            await #expect(throws: RegistryError.self) { try await share("\u{1b}[2J") }
            for _ in 0..<SessionRegistry.mostShares { try await share(nil) }
            await #expect(throws: RegistryError.self) { try await share(nil) }
        }
    }
}
