import Foundation
import Glibc
import Sandbox
import Testing

@testable import Launcher

/// Tests/Attacks, run in the sandbox that a session gets. Serial: each run takes what it can get of the machine.
@Suite(.serialized) struct AttackTests {
    /// Fewer would mean that a part of the probes did not run.
    static let fewestHeld = 440

    /// The policies that are shipped.
    static let modes: [(policy: String, rootless: Bool)] =
        ["default", "strict"].flatMap { policy in LaunchTests.modes.map { (policy, $0) } }

    @Test("every attack is refused", arguments: modes.indices)
    func attacks(index: Int) async throws {
        let (policy, rootless) = Self.modes[index]
        let scratch = try Scratch(owner: rootless ? Stage.service : geteuid())
        defer { scratch.remove() }
        let run = SandboxRunTests()
        try scratch.installPolicies()
        let named = ["--policies", "\(scratch.path)/Policies", "--policy", policy]
        let explanation = try await run.run(named + ["--explain", "--", "true"], rootless: rootless, in: scratch)
        #expect(explanation.status == 0, "\(explanation.errors)")
        let bounded = explanation.output.contains(#/limit memory: asked (\S+), enforced \1 /#)

        let arguments =
            ["outside", "mode=\(rootless ? "rootless" : "root")", "bounded=\(bounded ? "yes" : "no")"]
            + [Products.path("rookery-launcher"), "run"] + named
            + ["--workspace", "@workspace", "--", "@inside"]
        let outcome = try await run.program("attacks", arguments, rootless: rootless, in: scratch, within: 300)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        let breaches = lines.filter { $0.contains("\tBREACH\t") }
        #expect(breaches.isEmpty, "\(breaches.joined(separator: "\n"))")
        #expect(outcome.status == 0, "\(outcome.errors)")
        // The inside's last word: it came to its end.
        #expect(lines.contains { $0.hasPrefix("# inside\t") })
        #expect(lines.count { $0.contains("\theld\t") } >= Self.fewestHeld)
    }
}
