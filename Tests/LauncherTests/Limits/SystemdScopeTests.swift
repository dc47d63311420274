import Foundation
import Glibc
import Testing

@testable import Sandbox

/// On a machine that systemd runs with cgroup v2. A program that is started from a shell shares the shell's cgroup, which
/// hands no controller on.
@Suite(.serialized) struct SystemdScopeTests {
    private static let isPossible =
        geteuid() == 0 && SystemdScope(processes: [getpid()]).isPossible
        && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0

    /// `options` are those of systemd-run; the script has the launcher's path as `$1`.
    private func run(_ options: [String], _ script: String) async throws -> SandboxRunTests.Outcome {
        let scratch = try Scratch(owner: Stage.service)
        defer { scratch.remove() }
        let program = try scratch.script("from-a-shell", "#!/bin/sh\n\(script)\n")
        return try await SandboxRunTests().command(
            "/usr/bin/systemd-run", options + ["--quiet", program, Products.path("rookery-launcher")], in: scratch)
    }

    @Test(
        "what is started from a shell has its sessions limited, in a scope of rookery.slice",
        .enabled(if: isPossible))
    func fromAShell() async throws {
        let found = try await run(["--scope"], #""$1" run --explain -- true"#)
        #expect(found.status == 0, "\(found.errors)")
        for limit in ["memory", "pids"] {
            let line = found.output.split(separator: "\n").first { $0.contains("limit \(limit): ") }
            #expect(line?.contains("cgroup-v2") == true, "\(found.output)")
        }
        let ran = try await run(
            ["--scope"],
            #""$1" run -- sleep 5 & sleep 4; cat /sys/fs/cgroup/rookery.slice/*.scope/rookery-*/*/memory.max; wait $!"#)
        #expect(ran.status == 0 && Int(ran.output.split(separator: "\n").first ?? "") != nil, "\(ran)")
    }

    @Test("a service with Delegate=yes divides its own cgroup, whatever runs in it", .enabled(if: isPossible))
    func delegated() async throws {
        let found = try await run(
            ["--scope", "-p", "Delegate=yes"], #"sleep 5 & "$1" run -- true && cat /proc/self/cgroup"#)
        #expect(found.status == 0, "\(found.errors)")
        #expect(found.output.hasSuffix("/\(Cgroups.ownGroup)\n"), "\(found.output)")
    }
}
