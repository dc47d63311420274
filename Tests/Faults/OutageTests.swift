import EndToEndSupport
import Foundation
import Glibc
import SessionCore
import Testing

/// The machine goes down: every process at once, and with them whatever is only in memory. Then it starts again.
@Suite(.serialized) struct OutageTests {
    @Test func afterTheMachineWentDownSessionsGoOnAndWhatWasStoppedStaysSo() async throws {
        try await Rookery.with { rookery in
            let checker = Checker(rookery: rookery)
            let typist = Typist(session: try await rookery.api.create())
            let structured = try await rookery.api.create(["kind": "structured"])
            let stopped = try await rookery.api.create()
            try await rookery.api.waitForScreen(typist.session, containing: "❯")
            try await say(typist, rookery, checker)
            try await command(structured, "tok-before", rookery)
            try await checker.waitUntilSaid("tok-before", in: structured)
            _ = try await rookery.api.post("/v1/sessions/\(stopped)/stop")
            try await rookery.api.waitFor(stopped, lifecycle: .stopped)

            // Acknowledged, and the machine is gone before anything can come of it.
            let token = typist.nextToken()
            try await typist.say(token, in: rookery)
            try await command(structured, "tok-last", rookery)
            await goDown(rookery)

            try await rookery.restartIfDead()
            try await checker.waitUntilSaid(token, in: typist.session)
            try await checker.waitUntilSaid("tok-last", in: structured)
            try await say(typist, rookery, checker)
            checker.checkConversation(typist)
            #expect(checker.said(in: structured).filter { $0.contains("tok-") }.count == 2)
            for session in [typist.session, structured] {
                try await checker.checkMessages(of: session)
                try await checker.checkProcesses(of: session)
            }
            #expect(try await rookery.api.session(stopped)["lifecycle"]?.string == "stopped")
            #expect(rookery.processes(of: stopped).isEmpty)
        }
    }

    private func say(_ typist: Typist, _ rookery: Rookery, _ checker: Checker) async throws {
        let token = typist.nextToken()
        try await typist.say(token, in: rookery)
        try await checker.waitUntilSaid(token, in: typist.session)
    }

    private func command(_ session: String, _ token: String, _ rookery: Rookery) async throws {
        let answer = try await rookery.api.post(
            "/v1/sessions/\(session)/commands",
            ["type": "prompt", "text": .string("SAY \(token)"), "client_id": .string(token)])
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// Nothing is told to anybody: each process is stopped before the first is killed.
    private func goDown(_ rookery: Rookery) async {
        var pids: Set<Int32> = []
        // Stopped one after the other: what starts meanwhile is stopped in the next round.
        for _ in 0..<3 {
            let found = Set(rookery.processes().map(\.pid)).subtracting([rookery.model?.pid ?? 0])
            for pid in found.subtracting(pids) { kill(pid, SIGSTOP) }
            pids.formUnion(found)
        }
        for pid in pids { kill(pid, SIGKILL) }
        await rookery.endSupervisor(signal: SIGKILL)
        _ = try? await eventually("everything to be gone") {
            Set(rookery.processes().map(\.pid)).subtracting([rookery.model?.pid ?? 0]).isEmpty ? true : nil
        }
        for mount in mounts(below: rookery.root.path) { umount2(mount, 2 /* MNT_DETACH */) }
        try? FileManager.default.removeItem(atPath: rookery.runtimeDirectory)
    }

    /// The innermost first.
    private func mounts(below directory: String) -> [String] {
        let lines = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        return lines.compactMap { line in
            let point = line.split(separator: " ")[4]
            return point.hasPrefix(directory + "/") ? String(point) : nil
        }
        .reversed()
    }
}
