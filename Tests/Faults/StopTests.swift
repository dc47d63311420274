import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// SIGSTOP: a process that is there and does not answer is not dead. Nothing is started beside it, and when it goes on,
/// everything does.
@Suite(.serialized) struct StopTests {
    @Test("stopped and continued", arguments: [Victim.supervisor, .launcher, .worker])
    func stopped(victim: Victim) async throws {
        try await Listener.with { rookery in
            let id = try await rookery.api.create()
            let beside = try await rookery.api.create()
            let terminal = try await rookery.api.terminal(beside)
            _ = try await terminal.waitForMessage(type: "snapshot")
            let pid = try #require(victim.pid(in: rookery, session: id))
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }

            // Who is attached to another session types on, whoever has stopped.
            try await terminal.type("typed meanwhile\n")
            try await eventually("the line") {
                Listener.said(in: beside, of: rookery) == ["typed meanwhile"] ? true : nil
            }
            if victim == .worker {
                try await eventually("the session to be unresponsive", within: .seconds(60)) {
                    let flags = try await rookery.api.session(id)["flags"]?.array?.compactMap(\.string) ?? []
                    return flags.contains("unresponsive") ? true : nil
                }
                #expect(try await rookery.api.session(id)["lifecycle"]?.string == "running")
            }
            kill(pid, SIGCONT)
            try await eventually("an input to be taken", within: .seconds(60)) {
                try await rookery.api.post("/v1/sessions/\(id)/input", ["text": "after", "client_id": "after"]).status
                    == 202 ? true : nil
            }
            try await eventually("the input") { Listener.said(in: id, of: rookery) == ["after"] ? true : nil }
            #expect(try await rookery.api.session(id)["incarnation"]?.integer == 1)
            #expect(victim.pid(in: rookery, session: id) == pid)
            let third = try await rookery.api.create()
            try await rookery.api.waitFor(third, lifecycle: .running)
            await terminal.close()
        }
    }
}
