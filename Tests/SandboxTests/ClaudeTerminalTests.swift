import CLinux
import Foundation
import Glibc
import Testing

@testable import Sandbox

/// Claude Code's own terminal interface, drawn inside a real sandbox.
@Suite(.enabled(if: FileManager.default.fileExists(atPath: SandboxTrial.claude)))
struct ClaudeTerminalTests {
    @Test func drawsItsInterface() throws {
        let trial = try SandboxTrial("exec claude")
        trial.specification.claudeBinary = SandboxTrial.claude
        trial.specification.columns = 100
        trial.specification.rows = 30
        for (name, value) in [
            "ANTHROPIC_API_KEY": "placeholder", "ANTHROPIC_BASE_URL": "http://127.0.0.1:3128",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "LANG": "C.UTF-8",
        ] { trial.specification.environment[name] = value }
        let sandbox = try trial.start()
        // With an empty home its first words are the welcome of the set-up dialog.
        for _ in 0..<600 where !trial.output.contains("Claude") {
            trial.readTerminal()
            usleep(50_000)
        }
        #expect(trial.output.contains("Claude"), "\(trial.output.debugDescription)")
        #expect(sandbox.process.signal(0), "it waits for an answer")
    }
}
