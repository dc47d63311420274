import CLinux
import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// What only root mode has: a range of host ids, and PID 1 under another of them than the command.
@Suite(.enabled(if: geteuid() == 0)) struct PrivilegedSandboxTests {
    private func hostFile(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    @Test func runsUnderItsOwnHostIdsOnly() throws {
        let trial = try SandboxTrial("touch /workspace/file /workspace/ready; sleep 1000")
        let sandbox = try trial.start()
        #expect(trial.waitForFile("ready"))
        let base = SandboxTrial.base
        let pid1 = hostFile("/proc/\(sandbox.process.pid)/status")
        #expect(pid1.contains("Uid:\t\(base)\t\(base)\t\(base)\t\(base)\n"))
        // CAP_KILL, to pass signals on to the command's uid, and nothing else.
        #expect(pid1.contains("CapEff:\t0000000000000020\n") && pid1.contains("CapBnd:\t0000000000000000\n"))
        #expect(pid1.contains("Seccomp:\t2\n") && pid1.contains("NoNewPrivs:\t1\n"))
        var status = stat()
        #expect(lstat("\(trial.directory)/workspace/file", &status) == 0)
        #expect(status.st_uid == base + 1000 && status.st_gid == base + 1000)
    }

    @Test func pidOneKeepsOnlyItsPipesAndNoSecrets() throws {
        let trial = try SandboxTrial("touch /workspace/ready; sleep 1000")
        trial.specification.environment["SECRET"] = "do-not-tell"
        let sandbox = try trial.start()
        #expect(trial.waitForFile("ready"))
        let process = "/proc/\(sandbox.process.pid)"
        #expect(hostFile("\(process)/environ").isEmpty)
        #expect(hostFile("\(process)/cmdline") == "rookery-init\0")
        let targets = try FileManager.default.contentsOfDirectory(atPath: "\(process)/fd").map {
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(process)/fd/\($0)")
        }
        let known = ["/dev/null", "pipe:", "anon_inode:[signalfd]", "/dev/pts/ptmx", "/ptmx"]
        #expect(targets.allSatisfy { target in known.contains { target.hasPrefix($0) } }, "\(targets)")
        #expect(targets.count { $0.hasPrefix("pipe:") } == 2)
    }

    @Test func showsTheImageAsOwnedByRoot() throws {
        let trial = try SandboxTrial("stat -c '%u %g %n' / /usr /usr/bin/env /etc/passwd /dev/null >/workspace/out")
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        // The last is the host's own node: its filesystem shows the host's owner, whom nobody inside is.
        #expect(
            trial.file("out").hasPrefix("0 0 /\n0 0 /usr\n0 0 /usr/bin/env\n0 0 /etc/passwd\n"), "\(trial.file("out"))")
    }

    @Test func anotherRangesFilesAreOutOfReach() throws {
        let trial = try SandboxTrial("cat /home/agent/secret && exit 1; ls /home/agent && exit 2; exit 0")
        chown("\(trial.directory)/home", SandboxTrial.base + 66536, SandboxTrial.base + 66536)
        try "secret".write(toFile: "\(trial.directory)/home/secret", atomically: true, encoding: .utf8)
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
    }

    static let unified = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
        FileManager.default.fileExists(atPath: $0 + "/cgroup.procs")
            && FileManager.default.fileExists(atPath: $0 + "/cgroup.controllers")
    }

    @Test(.enabled(if: unified != nil)) func isBornInItsCgroupAndSeesItAsTheRoot() throws {
        let name = "rookery-test-\(getpid())"
        let directory = try #require(Self.unified) + "/" + name
        #expect(mkdir(directory, 0o755) == 0)
        defer {
            // Empty only a moment after the last process is gone.
            for _ in 0..<200 where rmdir(directory) != 0 && errno == EBUSY { usleep(20_000) }
        }
        let trial = try SandboxTrial("grep ^0:: /proc/self/cgroup >/workspace/out; sleep 1000")
        trial.specification.cgroup = CgroupEntrance(
            directory: OwnedDescriptor(owning: open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)))
        let sandbox = try trial.start()
        #expect(hostFile("/proc/\(sandbox.process.pid)/cgroup").contains("0::/\(name)\n"))
        #expect(trial.waitForFile("out"))
        for _ in 0..<200 where trial.file("out").isEmpty { usleep(20_000) }
        #expect(trial.file("out") == "0::/\n")
        sandbox.kill()
    }

    @Test func manyStartAtOnceAndLeaveNothing() async throws {
        func mounts() -> Set<Substring> { Set(hostFile("/proc/self/mountinfo").split(separator: "\n")) }
        let before = mounts()
        let statuses = await withTaskGroup(of: String.self) { group in
            for number in 0..<20 {
                group.addTask {
                    do {
                        let trial = try SandboxTrial("exit \(number)")
                        let status = try trial.run()
                        _ = try trial.started?.process.waitForExit()
                        return status
                    } catch { return "\(error)" }
                }
            }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(statuses == Set((0..<20).map { "code \($0)\n" }))
        // Other tests mount small disks of their own there meanwhile.
        #expect(mounts().subtracting(before).filter { !$0.contains(" /tmp/rk-") } == [])
    }
}
