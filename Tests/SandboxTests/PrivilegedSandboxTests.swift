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

    /// Which mounts a session may write; the policy of the trial shows none.
    static let writable: Set<String> = [
        "/workspace", "/home/agent", "/tmp", "/run/user/1000", "/dev/shm", "/dev/pts",
    ]

    @Test(arguments: [false, true]) func everyMountIsPrivateAndAllButTheSessionsOwnAreReadOnly(claude: Bool) throws {
        let trial = try SandboxTrial("cat /proc/self/mountinfo >/workspace/out")
        if claude { trial.specification.claudeBinary = "/usr/bin/true" }
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        let lines = trial.file("out").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.count > 40)
        for line in lines where line.count > 9 {
            let (place, options) = (line[4], line[5].split(separator: ","))
            let isDevice = place.hasPrefix("/dev/") || Set(MaskedPaths.all).contains(place)
            #expect(line[6] == "-", "\(place) has peers: \(line[6])")
            #expect(options.contains("ro") || Self.writable.contains(place) || isDevice, "\(line)")
            #expect(options.contains("nosuid") || isDevice, "\(line)")
        }
        // Of what sandboxes share as memory the filesystem itself is read-only.
        guard PreparedTree.isPossible else { return }
        for place in ["/"] + (claude ? ["/usr/local/bin"] : []) {
            let line = try #require(lines.last { $0.count > 9 && $0[4] == place })
            #expect(line[7] == "tmpfs" && line.last?.hasPrefix("ro") == true, "\(line)")
        }
    }

    @Test func whatIsMountedInsideDoesNotAppearOnTheHost() throws {
        let trial = try SandboxTrial("ls /data/inner >/workspace/out")
        let (outer, inner) = ("\(trial.directory)/outer", "\(trial.directory)/inner")
        for path in [outer, inner] { mkdir(path, 0o755) }
        #expect(mount("tmpfs", outer, "tmpfs", 0, nil) == 0)
        defer { umount2(outer, 2 /* MNT_DETACH */) }
        // As systemd has all mounts of a machine.
        #expect(mount(nil, outer, nil, 1 << 20, nil) == 0)
        mkdir("\(outer)/inner", 0o755)
        try "".write(toFile: "\(inner)/mark", atomically: true, encoding: .utf8)
        trial.specification.rules.mounts = [
            PolicyMount(source: outer, target: "/data", writable: false),
            PolicyMount(source: inner, target: "/data/inner", writable: false),
        ]
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        #expect(trial.file("out") == "mark\n")
        #expect(access("\(outer)/inner/mark", F_OK) != 0, "the sandbox's mount is on the host")
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
        let ended = await withTaskGroup(of: (status: String, directory: String).self) { group in
            for number in 0..<20 {
                group.addTask {
                    do {
                        let trial = try SandboxTrial("exit \(number)")
                        let status = try trial.run()
                        _ = try trial.started?.process.waitForExit()
                        return (status, trial.directory)
                    } catch { return ("\(error)", "") }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(ended.map(\.status)) == Set((0..<20).map { "code \($0)\n" }))
        let left = mounts().subtracting(before).filter { line in
            // Other tests mount file systems in their own directories meanwhile.
            !line.contains(" /tmp/rk") || ended.contains { line.contains($0.directory) }
        }
        #expect(left == [])
    }
}
