import Foundation
import Testing

@testable import ClaudeCode

@Suite struct SessionEnvironmentTests {
    private func variables(_ extra: [String: String] = [:]) throws -> [String: String] {
        try SessionEnvironment.variables(
            sessionID: "123e4567-e89b-42d3-a456-426614174000", columns: 100, rows: 30, model: "opus", extra: extra)
    }

    @Test func holdsWhatTheCLINeedsAndNoSecret() throws {
        let variables = try variables()
        #expect(variables["CLAUDE_SESSION_ID"] == "123e4567-e89b-42d3-a456-426614174000")
        #expect(variables["CLAUDE_CONFIG_DIR"] == "/home/agent/.claude")
        #expect(variables["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:3128")
        #expect(variables["ANTHROPIC_AUTH_TOKEN"] == "rookery-session-123e4567-e89b-42d3-a456-426614174000")
        #expect(variables["ANTHROPIC_API_KEY"] == nil)
        #expect(variables["ROOKERY_PERMISSION_MODE"] == "default")
        #expect(variables["ROOKERY_MODEL"] == "opus")
        #expect(variables["COLUMNS"] == "100")
        #expect(variables["DISABLE_AUTOUPDATER"] == "1")
    }

    @Test func takesTheCallersOwn() throws {
        let variables = try variables(["PATH": "/workspace/bin:/usr/bin", "MY_TOKEN": "x", "TERM": "xterm"])
        #expect(variables["PATH"] == "/workspace/bin:/usr/bin")
        #expect(variables["MY_TOKEN"] == "x")
        #expect(variables["TERM"] == "xterm")
    }

    @Test(arguments: [
        "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "CLAUDE_CONFIG_DIR", "ROOKERY_MODEL", "LD_PRELOAD", "HOME",
        "DISABLE_TELEMETRY", "ECHOKIT_WORKING_PATH", "BASH_ENV", "LINES",
    ])
    func refusesReserved(_ name: String) {
        let error = #expect(throws: EnvironmentError.self) { try variables([name: "x"]) }
        #expect(error?.description.contains("\(name) cannot be set") == true)
    }

    @Test(arguments: ["", "1A", "A-B", "A=B", "É", String(repeating: "A", count: 129)])
    func refusesMalformedNames(_ name: String) {
        #expect(throws: EnvironmentError.badName(name)) { try variables([name: "x"]) }
    }

    @Test func refusesBadValues() {
        #expect(throws: EnvironmentError.badValue("A")) { try variables(["A": "x\u{0}y"]) }
        #expect(throws: EnvironmentError.self) { try variables(["A": String(repeating: "x", count: 40_000)]) }
        #expect(throws: EnvironmentError.self) {
            try variables(Dictionary(uniqueKeysWithValues: (0..<200).map { ("V\($0)", "x") }))
        }
    }
}

@Suite struct HomeSeedTests {
    private func object(_ data: Data?) throws -> [String: Any] {
        try #require(try data.flatMap { try JSONSerialization.jsonObject(with: $0) as? [String: Any] })
    }

    @Test(arguments: [nil, "", "not json", "[]"])
    func writesAFreshConfiguration(_ existing: String?) throws {
        let root = try object(HomeSeed.globalConfiguration(merging: existing.map { Data($0.utf8) }))
        #expect(root["hasCompletedOnboarding"] as? Bool == true)
        let projects = try #require(root["projects"] as? [String: [String: Any]])
        #expect(projects["/"]?["hasTrustDialogAccepted"] as? Bool == true)
    }

    @Test func keepsWhatIsThere() throws {
        let existing = #"{"numStartups":7,"theme":"light","projects":{"/workspace":{"x":1},"/":{"y":2}}}"#
        let written = HomeSeed.globalConfiguration(merging: Data(existing.utf8))
        let root = try object(written)
        #expect(root["numStartups"] as? Int == 7)
        #expect(root["theme"] as? String == "light")
        let projects = try #require(root["projects"] as? [String: [String: Any]])
        #expect(projects["/workspace"]?["x"] as? Int == 1)
        #expect(projects["/"]?["y"] as? Int == 2)
        // What is complete is not written again.
        #expect(HomeSeed.globalConfiguration(merging: written) == nil)
        #expect(HomeSeed.globalConfiguration(merging: written, isFirst: true) == nil)
    }

    @Test func aCopyDoesNotKnowOfTheOriginalsRenderer() throws {
        // As 2.1.329 writes it while it starts.
        let running = #"""
            {"hasCompletedOnboarding":true,"projects":{"/":{"hasTrustDialogAccepted":true}},"numStartups":2,
            "fullscreenBootPending":{"2":{"version":"2.1.329","host":"sandbox","platform":"linux","startedAt":1}}}
            """#
        let root = try object(HomeSeed.globalConfiguration(merging: Data(running.utf8), isFirst: true))
        #expect(root["fullscreenBootPending"] == nil)
        #expect(root["numStartups"] as? Int == 2)
        // Its own, of an incarnation that was killed, is the CLI's business.
        #expect(HomeSeed.globalConfiguration(merging: Data(running.utf8)) == nil)
    }
}

@Suite struct ManagedSettingsTests {
    @Test func sendsEveryHookToTheWorker() throws {
        let text = ManagedSettings.json()
        let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let hooks = try #require(root["hooks"] as? [String: [[String: [[String: Any]]]]])
        #expect(Set(hooks.keys) == Set(HookEvent.allCases.map(\.rawValue)))
        for (event, groups) in hooks {
            let hook = try #require(groups.first?["hooks"]?.first)
            #expect(hook["type"] as? String == "http")
            #expect(hook["url"] as? String == "http://127.0.0.1:3128/hook/\(event)")
        }
        #expect(!ManagedSettings.json(hooks: false).contains("hooks"))
        #expect(!text.contains("channelsEnabled"))
        #expect(ManagedSettings.json(channels: true).contains(#""channelsEnabled" : true"#))
    }

    @Test func holdsThePermissionsOfThePolicy() throws {
        func permissions(_ given: ManagedSettings.Permissions) throws -> [String: Any]? {
            let text = ManagedSettings.json(hooks: false, permissions: given)
            let root = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return root?["permissions"] as? [String: Any]
        }
        let some = try permissions(.init(allow: ["Read", "Bash(git log:*)"], deny: ["WebFetch"]))
        #expect(some?["allow"] as? [String] == ["Read", "Bash(git log:*)"])
        #expect(some?["deny"] as? [String] == ["WebFetch"])
        #expect(some?["disableBypassPermissionsMode"] as? String == "disable")
        #expect(try permissions(.init(bypass: true)) == nil)
    }
}
