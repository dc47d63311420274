import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// SIGKILL at random moments while somebody types, with the real Claude Code: what was acknowledged is said once and in
/// order, the session goes on under its id, and a session beside it notices nothing.
@Suite(.serialized) struct KillTests {
    @Test("killed at random moments", arguments: Rounds.victims)
    func killed(victim: Victim) async throws {
        try await Rookery.with { rookery in
            var dice = Dice()
            print("seed \(dice.seed)")
            let checker = Checker(rookery: rookery)
            let edits = try await rookery.api.create(["permission_mode": "acceptEdits"])
            let typist = Typist(session: edits, usesTools: true)
            // It does nothing for as long as all rounds take.
            let bystander = Typist(session: try await rookery.api.create(["idle_timeout": "6h"]))
            for one in [typist, bystander] {
                try await rookery.api.waitForScreen(one.session, containing: "❯")
                try await say(one, rookery, checker)
            }
            let neighbour = try #require(Victim.worker.pid(in: rookery, session: bystander.session))

            var viewer = Viewer(session: typist.session)

            for _ in 1...Rounds.count {
                try await viewer.watch(rookery)
                let token = typist.nextToken()
                let delay = Int.random(in: 0...700, using: &dice)
                let pid = try await eventually("a \(victim.rawValue)", within: .seconds(60)) {
                    victim.pid(in: rookery, session: typist.session)
                }
                let killing = kill(pid, after: delay)
                try await typist.say(token, in: rookery)
                await killing.value
                try await eventually("the \(victim.rawValue) to be gone") { victim.isGone(pid) ? true : nil }
                try await rookery.restartIfDead()
                try await checker.waitUntilSaid(token, in: typist.session)
                // Said before the kill came: then the next incarnation is only on its way.
                try await checker.waitUntilRunning(typist.session)
            }
            // Whatever was killed: there is one more turn after it, which somebody sees.
            try await viewer.watch(rookery)
            for one in [typist, bystander] { try await say(one, rookery, checker) }
            try await checker.checkRecording(of: typist.session, has: viewer.end())
            for one in [typist, bystander] {
                checker.checkConversation(one)
                try await checker.checkMessages(of: one.session)
                try await checker.checkEvents(one)
                try await checker.checkProcesses(of: one.session)
            }
            let told = Comment(rawValue: rookery.log(about: bystander.session))
            #expect(Victim.worker.pid(in: rookery, session: bystander.session) == neighbour, told)
            #expect(try await rookery.api.session(bystander.session)["incarnation"]?.integer == 1, told)
        }
    }

    private func say(_ typist: Typist, _ rookery: Rookery, _ checker: Checker) async throws {
        let token = typist.nextToken()
        try await typist.say(token, in: rookery)
        try await checker.waitUntilSaid(token, in: typist.session)
    }

    /// Kills it on its own time; who types does not wait.
    private func kill(_ pid: Int32, after delay: Int) -> Task<Void, Never> {
        Task {
            try? await Task.sleep(for: .milliseconds(delay))
            _ = Glibc.kill(pid, SIGKILL)
        }
    }
}
