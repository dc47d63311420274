import ClaudeCode
import Foundation
import Testing

/// Runs the repository's `run_cc.sh` with a stand-in `claude` that prints its arguments and its directory.
@Suite struct StartScriptTests {
    private static let id = "123e4567-e89b-42d3-a456-426614174000"

    private struct Outcome {
        var status: Int32
        var lines: [String]
        var errors: String
    }

    /// A directory of its own with a home, whose name has whatever trips up a careless script.
    private final class Place {
        let root: URL
        let home: URL
        var physicalHome: String { home.resolvingSymlinksInPath().path }

        init() throws {
            root = FileManager.default.temporaryDirectory.appendingPathComponent("cc-\(UUID().uuidString.prefix(8))")
            home = root.appendingPathComponent("a b.c_ü$(x) 'q'")
            try FileManager.default.createDirectory(at: home, withIntermediateDirectories: true)
            let bin = root.appendingPathComponent("bin")
            try FileManager.default.createDirectory(at: bin, withIntermediateDirectories: true)
            let claude = bin.appendingPathComponent("claude")
            try Data("#!/bin/sh\nfor a in \"$@\"; do printf '<%s>' \"$a\"; done; echo; pwd -P\nexit 7\n".utf8).write(
                to: claude)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: claude.path)
        }

        deinit { try? FileManager.default.removeItem(at: root) }

        func run(
            _ environment: [String: String], arguments: [String] = [], withClaude: Bool = true
        ) throws -> Outcome {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: #filePath)
                .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("run_cc.sh")
            process.arguments = arguments
            let path = (withClaude ? root.path + "/bin:" : "") + "/usr/bin:/bin"
            process.environment = ["HOME": home.path, "PATH": path].merging(environment) { _, new in new }
            let output = Pipe()
            let errors = Pipe()
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus, lines: text.split(separator: "\n").map(String.init),
                errors: errorText)
        }

        func write(_ text: String, to path: String) throws {
            let url = URL(fileURLWithPath: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
    }

    @Test func startsANewSessionWhereEchokitExpectsIt() throws {
        let place = try Place()
        let outcome = try place.run(["CLAUDE_SESSION_ID": Self.id.uppercased()], arguments: ["x y"])
        let directory = "\(place.physicalHome)/echokit_cc_sessions/\(Self.id)"
        let transcript = TranscriptPath.path(
            configDirectory: place.home.path + "/.claude", workingDirectory: directory, sessionID: Self.id)
        #expect(
            outcome.lines == [
                transcript, "Starting new session: \(Self.id)", "<--session-id><\(Self.id)><x y>", directory,
            ])
        #expect(outcome.status == 7)
        #expect(FileManager.default.fileExists(atPath: (transcript as NSString).deletingLastPathComponent))
    }

    @Test func resumesWhenTheTranscriptHasContent() throws {
        let place = try Place()
        let first = try place.run(["CLAUDE_SESSION_ID": Self.id])
        let transcript = try #require(first.lines.first)
        try place.write("", to: transcript)
        #expect(
            try place.run(["CLAUDE_SESSION_ID": Self.id]).lines.dropFirst().first == "Starting new session: \(Self.id)")
        #expect(!FileManager.default.fileExists(atPath: transcript))
        try place.write(Self.conversation, to: transcript)
        let outcome = try place.run(["CLAUDE_SESSION_ID": Self.id])
        #expect(outcome.lines.prefix(3) == [transcript, "Resuming session: \(Self.id)", "<--resume><\(Self.id)>"])
    }

    @Test func startsAnewWhatWasKilledBeforeItsFirstMessageWasStored() throws {
        let place = try Place()
        let transcript = try #require(try place.run(["CLAUDE_SESSION_ID": Self.id]).lines.first)
        let preamble = #"{"type":"mode","mode":"normal"}"# + "\n" + #"{"type":"permission-mode"}"# + "\n"
        try place.write(preamble, to: transcript)
        let outcome = try place.run(["CLAUDE_SESSION_ID": Self.id])
        #expect(outcome.lines.dropFirst().first == "Starting new session: \(Self.id)")
        #expect(!FileManager.default.fileExists(atPath: transcript))
        #expect(try String(contentsOfFile: transcript + ".unfinished", encoding: .utf8) == preamble)
    }

    /// The least that Claude Code resumes.
    static let conversation = #"{"parentUuid":null,"type":"user","message":{"role":"user","content":"hi"}}"# + "\n"

    @Test func resumesAConversationOfAnotherDirectory() throws {
        let place = try Place()
        let old = place.home.path + "/.claude/projects/-somewhere-else/\(Self.id).jsonl"
        try place.write(Self.conversation, to: old)
        let outcome = try place.run(["CLAUDE_SESSION_ID": Self.id])
        #expect(outcome.lines.prefix(3) == [old, "Resuming session: \(Self.id)", "<--resume><\(Self.id)>"])
    }

    @Test func forksAnotherConversationUntilItHasOneOfItsOwn() throws {
        let place = try Place()
        let parent = "00000000-e89b-42d3-a456-426614174000"
        let environment = ["CLAUDE_SESSION_ID": Self.id, "ROOKERY_FORK_OF": parent]
        // Nothing to fork.
        let nothing = try place.run(environment)
        #expect(nothing.lines.dropFirst().first == "Starting new session: \(Self.id)")
        let transcript = try #require(nothing.lines.first)
        try place.write(Self.conversation, to: place.home.path + "/.claude/projects/-somewhere/\(parent).jsonl")
        for _ in 0..<2 {
            let forked = try place.run(environment, arguments: ["-p"])
            #expect(
                forked.lines.prefix(3) == [
                    transcript, "Forking session: \(Self.id) from \(parent)",
                    "<--resume><\(parent)><--fork-session><--session-id><\(Self.id)><-p>",
                ])
        }
        try place.write(Self.conversation, to: transcript)
        let own = try place.run(environment)
        #expect(own.lines.prefix(3) == [transcript, "Resuming session: \(Self.id)", "<--resume><\(Self.id)>"])
        let wrong = try place.run(["CLAUDE_SESSION_ID": Self.id, "ROOKERY_FORK_OF": "../x"])
        #expect(wrong.status == 2)
    }

    @Test func worksInTheWorkspaceOfASandbox() throws {
        let place = try Place()
        let workspace = place.root.path + "/work.space"
        let outcome = try place.run([
            "CLAUDE_SESSION_ID": Self.id, "ROOKERY_WORKSPACE": workspace,
            "CLAUDE_CONFIG_DIR": place.root.path + "/config",
            "ROOKERY_PERMISSION_MODE": "default", "ROOKERY_MODEL": "opus",
        ])
        let physical = URL(fileURLWithPath: workspace).resolvingSymlinksInPath().path
        #expect(
            outcome.lines == [
                TranscriptPath.path(
                    configDirectory: place.root.path + "/config", workingDirectory: physical, sessionID: Self.id),
                "Starting new session: \(Self.id)",
                "<--permission-mode><default><--model><opus><--session-id><\(Self.id)>", physical,
            ])
    }

    @Test func honoursTheWorkingPath() throws {
        let place = try Place()
        let outcome = try place.run(["CLAUDE_SESSION_ID": Self.id, "ECHOKIT_WORKING_PATH": place.root.path + "/w p"])
        #expect(outcome.lines.last?.hasSuffix("/w p/\(Self.id)") == true)
    }

    @Test(arguments: [
        nil, "", "abc", "123e4567-e89b-42d3-a456-42661417400z", "../../../etc", "123e4567e89b42d3a456426614174000",
    ])
    func refusesWhatIsNoSessionID(_ id: String?) throws {
        let outcome = try Place().run(id.map { ["CLAUDE_SESSION_ID": $0] } ?? [:])
        #expect(outcome.status == 2)
        #expect(outcome.lines.isEmpty)
        #expect(outcome.errors.contains("CLAUDE_SESSION_ID"))
    }

    @Test func saysThatClaudeIsMissing() throws {
        let outcome = try Place().run(["CLAUDE_SESSION_ID": Self.id, "PATH": "/usr/bin:/bin"], withClaude: false)
        #expect(outcome.status == 127)
        #expect(outcome.errors.contains("claude is not on PATH"))
    }
}
