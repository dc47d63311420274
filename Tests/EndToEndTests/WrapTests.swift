import EndToEndSupport
import Foundation
import SessionCore
import Testing

/// `rookery wrap` in a real terminal (tmux), and somebody who approves elsewhere.
@Suite(.serialized) struct WrapTests {
    @Test func aWrappedProgramIsApprovedFromElsewhereOverARestartOfTheServer() async throws {
        try await Rookery.with { installation in
            let paired = try await CommandLineTests.rookery(installation, "device", "pair", "laptop")
            #expect(paired.status == 0, "\(paired.errors)")
            let file = installation.root.path + "/device.json"
            let code = paired.output.trimmingCharacters(in: .whitespacesAndNewlines)
            let enrolled = try await CommandLineTests.rookery(
                installation, "device", "enrol", "--device-file", file, code)
            #expect(enrolled.status == 0, "\(enrolled.errors)")
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)

            let script = installation.root.path + "/asks.sh"
            try """
            stty -echo
            echo before; echo 'Do you want to proceed?'; echo ' ❯ 1. Yes'; echo '   2. No'
            read answer
            clear; echo "answer:$answer"; tty; sleep 2; exit 7
            """.write(toFile: script, atomically: true, encoding: .utf8)
            let status = installation.root.path + "/status"
            let shell =
                "\(Programs.built("rookery")) wrap --device-file \(file) -- /bin/sh \(script); echo $? > \(status)"
            let socket = installation.root.path + "/tmux"
            let server = try RunningProgram(
                ["/usr/bin/tmux", "-S", socket, "-D"], logs: installation.root, name: "tmux")
            try await eventually("tmux's socket") { FileManager.default.fileExists(atPath: socket) ? true : nil }
            let closing = "for fd in /proc/$$/fd/*; do fd=${fd##*/}; [ $fd -gt 2 ] && eval \"exec $fd>&-\"; done; "
            _ = try await run(
                [
                    "/bin/bash", "-c", closing + #"exec /usr/bin/tmux "$@""#, "tmux", "-S", socket, "new-session",
                    "-d", "-x", "100", "-y", "30", shell,
                ], logs: installation.root)

            func remote() async throws -> JSONValue? {
                try await installation.api.get("/api/sessions").json.array?.first { $0["backendType"] == "remote" }
            }
            let session = try await eventually("the prompt") { () -> JSONValue? in
                guard let session = try await remote(), session["pending_prompts"] == 1 else { return nil }
                return session
            }
            #expect(session["active"] == true)
            #expect(session["command"]?.string == "/bin/sh \(script)")

            // The program does not care whether the server lives.
            await installation.endSupervisor(signal: SIGKILL)
            try await installation.restartIfDead()
            try await eventually("the program to be back") { try await remote()?["active"] == true ? true : nil }
            #expect(try await remote()?["id"] == session["id"], "the same session goes on")
            let approved = try await installation.api.post("/api/prompts/1/approve")
            #expect(approved.status == 200, "\(approved.text)")
            let code7 = try await eventually("the program's end") {
                (try? String(contentsOfFile: status, encoding: .utf8)).flatMap { $0.isEmpty ? nil : $0 }
            }
            #expect(code7 == "7\n")
            try await eventually("the session's end") { try await remote()?["active"] == false ? true : nil }
            #expect(try await installation.api.post("/api/prompts/1/reject").status == 409)
            await server.end()
        }
    }
}
