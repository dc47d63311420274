import Policy
import SessionCore
import Synchronization
import Testing
import WorkerControl

@testable import Supervisor

/// What a policy says of a session's questions, on its way to the worker that judges them.
struct PermissionRuleTests {
    /// Two modules read the same rules: the policy's file, which must not promise what no worker does, and the worker.
    @Test(arguments: [
        "Glob", "mcp__t", "mcp__t__list", "Bash", "Bash(ls)", "Bash(git log:*)", "Bash(git *)", "Bash(a;b)", "Bash(:*)",
        "Bash( a)", "Bash(a )", "Bash(a && b:*)", "Bash(a{b,c})", "Edit(./src/**)", "Edit(.)", "Edit(./)", "Edit(./**)",
        "Edit(/**)", "Edit(//etc/**)", "Edit(//)", "Edit(./a/../b)", "Edit(./a//b)", "Edit(./a/)", "Edit(./*.c)",
        "Edit(src)", "Read(~/x)", "NotebookEdit(./n.ipynb)", "WebFetch(domain:docs.rs)", "WebFetch(domain:)",
        "WebFetch(domain:*.rs)", "WebFetch(domain:a/b)", "WebFetch(docs.rs)", "Agent(x)", "Bash()", "Bash(x", "(x)", "",
    ])
    func fileAndWorkerKnowTheSameRules(_ rule: String) {
        #expect(PermissionRules.isJudged(rule) == (ToolRule(rule) != nil))
    }

    @Test func theWorkerGetsThem() async throws {
        var settings = Box.Settings()
        settings.policy = SessionPolicy(
            name: SessionPolicy.defaultName,
            permissions: PermissionRules(allow: ["Bash(git log:*)"], timeout: .minutes(5)))
        try await Box.with(settings) { box in
            try await box.create()
            let launch = try #require(box.launcher.state.withLock { $0.launches.first })
            #expect(launch.commands?.permissionAllow == ["Bash(git log:*)"])
            #expect(launch.commands?.permissionTimeout == 300)
        }
    }
}
