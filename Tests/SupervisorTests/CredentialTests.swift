import Foundation
import Registry
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// What workers are told when a credential is not what it was.
struct CredentialTests {
    private func token(_ box: Box, _ principal: Principal, _ role: Role) async throws -> String {
        try await box.registry.createToken(userID: principal.userID, role: role).record.publicID
    }

    private func clients(_ tokens: [(String, ClientAccess)]) -> [AttachedClient] {
        tokens.enumerated().map { index, token in
            AttachedClient(
                id: index, dialect: "native", principal: "x", driving: false, since: Date(), access: token.1,
                credential: ClientCredential(token: token.0))
        }
    }

    @Test func everyWorkerHearsOfARevokedTokenAtOnceEvenBesideOneThatIsSilent() async throws {
        try await Box.with { box in
            let ids = [try await box.create(), try await box.create(), try await box.create()]
            let id = try await token(box, box.alice, .user)
            try box.worker(ids[1]).state.withLock { $0.isSilent = true }
            _ = try await box.registry.revokeToken(id, visibleTo: box.alice)
            let telling = Task { await box.supervisor.credentialChanged(.token(id), reason: "the token was revoked") }
            for session in [ids[0], ids[2]] {
                let changes = try await eventually("the change") { () -> [CredentialChange]? in
                    let changes = try box.worker(session).state.withLock { $0.credentials }
                    return changes.isEmpty ? nil : changes
                }
                #expect(changes == [CredentialChange(.token(id), access: nil, reason: "the token was revoked")])
            }
            await telling.value
        }
    }

    @Test func aChangedRoleIsWorthWhatItMayDoWithEachSession() async throws {
        try await Box.with { box in
            let bob = try await box.someone("bob")
            let own = try await box.create(by: bob)
            let others = try await box.create()
            let id = try await token(box, bob, .admin)
            for (role, atOwn, atOthers) in [
                (Role.viewer, ClientAccess.view, ClientAccess?.some(.view)), (.approver, .approve, .approve),
                (.user, .drive, nil), (.admin, .drive, .drive),
            ] {
                try await box.registry.setRole(role, of: id)
                await box.supervisor.credentialChanged(.token(id), reason: "another role")
                #expect(try box.worker(own).state.withLock { $0.credentials.last?.access } == atOwn)
                #expect(try box.worker(others).state.withLock { $0.credentials.last?.access } == atOthers)
            }
            await box.supervisor.credentialChanged(.login("l"), reason: "the login has ended")
            #expect(
                try box.worker(own).state.withLock { $0.credentials.last }
                    == CredentialChange(.login("l"), access: nil, reason: "the login has ended"))
        }
    }

    @Test func aShareLinkIsWorthItsRoleAtItsSessionAndNothingElsewhere() async throws {
        try await Box.with { box in
            let (shared, other) = (try await box.create(), try await box.create())
            func share(_ role: ShareRole) async throws -> String {
                let made = try await box.registry.createShare(
                    of: shared, role: role, label: nil, expiresAt: Date() + 3600, by: box.alice)
                return try #require(made).record.publicID
            }
            let id = try await share(.approve)
            await box.supervisor.credentialChanged(.share(id), reason: "look again")
            #expect(try box.worker(shared).state.withLock { $0.credentials.last?.access } == .approve)
            #expect(try box.worker(other).state.withLock { $0.credentials.last }?.access == nil)
            _ = try await box.registry.revokeShare(id, of: shared, by: box.alice)
            await box.supervisor.credentialChanged(.share(id), reason: "the share link was revoked")
            #expect(
                try box.worker(shared).state.withLock { $0.credentials.last }
                    == CredentialChange(.share(id), access: nil, reason: "the share link was revoked"))
        }
    }

    @Test func aLinkThatWasRevokedWhileNobodyLookedIsFound() async throws {
        let id = SessionID()
        let links = Mutex<[String]>([])
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                var made: [String] = []
                for _ in 0..<2 {
                    let share = try await box.registry.createShare(
                        of: id, role: .view, label: nil, expiresAt: Date() + 3600, by: box.alice)
                    made.append(try #require(share).record.publicID)
                }
                let clients = made.enumerated().map { index, share in
                    AttachedClient(
                        id: index, dialect: "stream", principal: "x", driving: false, since: Date(), access: .view,
                        credential: ClientCredential(share: share))
                }
                try box.worker(id).state.withLock { $0.status.clients = clients }
                _ = try await box.registry.revokeShare(made[1], of: id, by: box.alice)
                links.withLock { [made] in $0 = made }
            },
            after: { box in
                let changes = try await eventually("the change") { () -> [CredentialChange]? in
                    let changes = try box.worker(id).state.withLock { $0.credentials }
                    return changes.isEmpty ? nil : changes
                }
                #expect(changes.map(\.name) == [.share(links.withLock { $0[1] })])
                #expect(changes.first?.access == nil)
            })
    }

    @Test func whatWasTakenBackWhileNobodyLookedCountsToo() async throws {
        let id = SessionID()
        let kept = Mutex<[String]>([])
        try await Box.restarting(
            { box in
                try await box.create(SessionCreation(id: id))
                let tokens = [
                    try await token(box, box.alice, .user), try await token(box, box.alice, .user),
                    try await token(box, box.alice, .user),
                ]
                try box.worker(id).state.withLock {
                    $0.status.clients = clients([(tokens[0], .drive), (tokens[1], .drive), (tokens[2], .drive)])
                }
                kept.withLock { $0 = tokens }
                _ = try await box.registry.revokeToken(tokens[1], visibleTo: box.alice)
                try await box.registry.setRole(.viewer, of: tokens[2])
            },
            after: { box in
                let tokens = kept.withLock { $0 }
                let changes = try await eventually("the changes") { () -> [CredentialChange]? in
                    let changes = try box.worker(id).state.withLock { $0.credentials }
                    return changes.count < 2 ? nil : changes
                }
                #expect(Set(changes.map(\.name)) == [.token(tokens[1]), .token(tokens[2])])
                #expect(changes.first { $0.name == .token(tokens[1]) }?.access == nil)
                #expect(changes.first { $0.name == .token(tokens[2]) }?.access == .view)
            })
    }
}
