import CLinux
import Foundation
import Glibc
import Policy
import Sandbox

/// The three ways to run `/bin/true`, and what else a sandbox costs.
final class Spawns {
    private let directory: String
    private let cgroups: CgroupParent
    /// What one sandbox's time goes to.
    private var parts: [String: [Double]] = [:]
    private let bubblewrap = "/usr/bin/bwrap"
    private static let base: UInt32 = 0x6fff_0000

    init() throws {
        var template = Array("/tmp/rkb-sandbox-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(call: "mkdtemp", errno: errno) }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        chmod(directory, 0o755)
        for name in ["workspace", "home"] {
            mkdir("\(directory)/\(name)", 0o700)
            chown("\(directory)/\(name)", Self.base + 1000, Self.base + 1000)
        }
        cgroups = CgroupParent(.detect(), stateDirectory: directory)
    }

    func remove() {
        cgroups.removeIfEmpty()
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Ways

    private func bare(_ command: [String] = ["/bin/true"]) throws {
        var spawn = Spawn(program: try Spawn.open(program: command[0]), arguments: command)
        spawn.namespaces = UInt64(RK_NEW_USER | RK_NEW_MOUNT | RK_NEW_PID | RK_NEW_NET | RK_NEW_IPC | RK_NEW_UTS)
        _ = try spawn.start().waitForExit()
    }

    /// Its recommended flags: everything unshared, the host's /usr read-only.
    private func wrapped(_ command: [String] = ["/bin/true"]) throws {
        let flags = [
            "bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
            "--clearenv", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
            "--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--",
        ]
        let spawn = Spawn(program: try Spawn.open(program: bubblewrap), arguments: flags + command)
        _ = try spawn.start().waitForExit()
    }

    private func specification(_ command: [String]) throws -> SandboxSpecification {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var specification = SandboxSpecification(
            identity: .range(base: Self.base),
            initProgram: (own as NSString).deletingLastPathComponent + "/rookery-init",
            workspace: "\(directory)/workspace", home: "\(directory)/home", startCommand: "/bin/true",
            claudeBinary: nil, rules: .standard)
        specification.arguments = command
        specification.environment = ["PATH": "/usr/bin:/bin"]
        return specification
    }

    /// With its cgroup, from nothing to nothing.
    private func sandboxed(_ command: [String] = ["/bin/true"], name: String = "bench") throws {
        try withSandbox(command, name: name) { _ = try $0.process.waitForExit() }
    }

    private func withSandbox(
        _ command: [String], name: String = "bench", _ body: (StartedSandbox) throws -> Void
    ) throws {
        let begin = ContinuousClock.now
        let (leaf, _) = try cgroups.makeLeaf(name, limits: .standard)
        let limited = ContinuousClock.now
        var specification = try specification(command)
        specification.cgroup = try leaf.entrance()
        let sandbox = try specification.start()
        let started = ContinuousClock.now
        try sandbox.go()
        let executed = ContinuousClock.now
        try body(sandbox)
        let over = ContinuousClock.now
        try leaf.end()
        guard name == "bench" else { return }
        for (part, time) in [
            ("cgroup made", limited - begin), ("set up", started - limited), ("command executed", executed - started),
            ("command ended", over - executed), ("cgroup removed", ContinuousClock.now - over),
        ] { parts[part, default: []].append(time / .milliseconds(1)) }
    }

    private var hasBubblewrap: Bool { access(bubblewrap, X_OK) == 0 }

    // MARK: Figures

    func interleaved(rounds: Int) throws {
        var times: [String: [Double]] = [:]
        let ways: [(String, () throws -> Void)] =
            [("bare clone and exec", { try self.bare() })]
            + (hasBubblewrap ? [("bubblewrap", { try self.wrapped() })] : [])
            + [("sandbox", { try self.sandboxed() })]
        for round in 0..<(rounds + 5) {
            for (name, way) in ways {
                let time = try Times.measure(way)
                if round >= 5 { times[name, default: []].append(time) }
            }
        }
        print("/bin/true, start to end, in turns:")
        for (name, _) in ways { print("  \(name.padded) \(Times(times[name] ?? [0]).text)") }
        for part in ["cgroup made", "set up", "command executed", "command ended", "cgroup removed"] {
            print("    \(part.padded) \(Times(parts[part] ?? [0]).text)")
        }
        if let ours = times["sandbox"], let bare = times["bare clone and exec"] {
            print("  sandbox to bare: \(ratio(ours, bare))", terminator: "")
            print(times["bubblewrap"].map { "; sandbox to bubblewrap: \(ratio(ours, $0))" } ?? "")
        }
    }

    private func ratio(_ ours: [Double], _ theirs: [Double]) -> String {
        String(format: "%.2f", Times(ours).median / Times(theirs).median)
    }

    func atOnce(_ count: Int) throws {
        print("\(count) at once, start to end of all:")
        var ways: [(String, @Sendable (Int) throws -> Void)] = []
        nonisolated(unsafe) let spawns = self
        ways.append(("bare clone and exec", { _ in try spawns.bare() }))
        if hasBubblewrap { ways.append(("bubblewrap", { _ in try spawns.wrapped() })) }
        ways.append(("sandbox", { try spawns.sandboxed(name: "bench-\($0)") }))
        for (name, way) in ways {
            let times = (0..<10).map { _ in
                Times.measure {
                    DispatchQueue.concurrentPerform(iterations: count) { index in
                        do { try way(index) } catch { fatalError("\(name): \(error)") }
                    }
                }
            }
            print("  \(name.padded) \(Times(times).text)")
        }
    }

    /// From the kill to an empty, removed cgroup, with ten processes inside.
    func teardown(rounds: Int) throws {
        var times: [Double] = []
        let script = "for i in 1 2 3 4 5 6 7 8 9; do sleep 60 & done; echo up > /workspace/up; wait"
        for _ in 0..<rounds {
            let up = "\(directory)/workspace/up"
            unlink(up)
            var begin = ContinuousClock.now
            try withSandbox(["/bin/sh", "-c", script]) { sandbox in
                while access(up, F_OK) != 0 { usleep(1000) }
                begin = ContinuousClock.now
                sandbox.kill()
            }
            times.append((ContinuousClock.now - begin) / .milliseconds(1))
        }
        print("end of ten processes, kill to removed cgroup: \(Times(times).text)")
    }

    func initMemory() throws {
        try withSandbox(["/bin/sleep", "60"]) { sandbox in
            let status = try String(contentsOfFile: "/proc/\(sandbox.process.pid)/smaps_rollup", encoding: .utf8)
            for line in status.split(separator: "\n") where line.hasPrefix("Rss:") || line.hasPrefix("Pss:") {
                print("rookery-init \(line.split(whereSeparator: \.isWhitespace).joined(separator: " "))")
            }
            sandbox.kill()
        }
    }

    /// A run of nothing but system calls: what the filters (and Landlock, where the kernel has it) take of it.
    func systemCalls() throws {
        let command = ["/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=1000000", "status=none"]
        var bare: [Double] = []
        var ours: [Double] = []
        for _ in 0..<7 {
            bare.append(try Times.measure { try self.bare(command) })
            ours.append(try Times.measure { try sandboxed(command) })
        }
        print("two million system calls, bare:       \(Times(bare).text)")
        print("two million system calls, sandboxed:  \(Times(ours).text)")
        print("  ratio: \(ratio(ours, bare))")
    }
}

extension String {
    fileprivate var padded: String { padding(toLength: 20, withPad: " ", startingAt: 0) }
}
