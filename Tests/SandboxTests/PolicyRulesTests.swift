import Foundation
import Glibc
import Policy
import Testing

@testable import Sandbox

/// What a policy adds to a sandbox, or takes from it, in real ones.
@Suite struct PolicyRulesTests {
    private func trial(_ script: String, _ change: (inout SandboxRules) -> Void) throws -> SandboxTrial {
        let trial = try SandboxTrial(script)
        change(&trial.specification.rules)
        return trial
    }

    @Test func refusedCallsAreCounted() throws {
        let trial = try trial(
            """
            for n in 1 2 3; do mount -t tmpfs x /workspace; done 2>/dev/null
            unshare -U true 2>/workspace/error
            """
        ) { _ in }
        _ = try trial.run()
        #expect(trial.file("error").contains("Operation not permitted"))
        for _ in 0..<100 where trial.violations["mount"] < 3 { usleep(50_000) }
        #expect(trial.violations["mount"] == 3)
        #expect(trial.violations["unshare"] == 1)
    }

    @Test func withoutNetworkThereIsALoopbackAndNoListener() throws {
        let trial = try trial(
            "(exec 3<>/dev/tcp/127.0.0.1/3128) 2>/workspace/out; exec 4<>/dev/tcp/127.0.0.1/9 || exit 3"
        ) { $0.network = .none }
        #expect(try trial.run() == "code 3\n")
        #expect(trial.started?.listener == nil)
        #expect(trial.file("out").contains("Connection refused"))
    }

    @Test func theHostsNetworkHasAListenerOfItsOwn() throws {
        let trial = try trial("echo $ANTHROPIC_BASE_URL >/workspace/out; ls /proc/self/ns/net -l >>/workspace/out") {
            $0.network = .host
        }
        trial.specification.environment["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:3128"
        _ = try trial.run()
        let out = trial.file("out")
        #expect(out.hasPrefix("http://127."))
        #expect(!out.hasPrefix("http://127.0.0.1:"))
        #expect(out.contains(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")))
    }

    @Test func aCapabilityIsKeptOverExecAndNoOther() throws {
        let trial = try trial("grep ^Cap /proc/self/status >/workspace/out") { $0.capabilities = ["net_bind_service"] }
        _ = try trial.run()
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(trial.file("out").contains("\(set):\t0000000000000400"), "\(trial.file("out"))")
        }
    }

    @Test(arguments: [false, true]) func aMountIsShown(writable: Bool) throws {
        let trial = try SandboxTrial("cat /mnt/shared/file; echo made >/mnt/shared/new && echo WROTE")
        let shared = trial.directory + "/shared"
        mkdir(shared, 0o755)
        try "hello\n".write(toFile: shared + "/file", atomically: true, encoding: .utf8)
        let owner = geteuid() == 0 ? 4321 : geteuid()
        chown(shared, owner, owner)
        trial.specification.rules.mounts = [
            PolicyMount(source: shared, target: "/mnt/shared", writable: writable)
        ]
        _ = try trial.run()
        #expect(trial.output.contains("hello"))
        #expect(trial.output.contains("WROTE") == writable, "\(trial.output)")
        var status = stat()
        #expect((stat(shared + "/new", &status) == 0) == writable)
        if writable { #expect(status.st_uid == owner) }
    }

    @Test(
        "mounts that are refused",
        arguments: [
            ("/proc/1", "/mnt/x"), ("/tmp", "/etc/claude-code/x"), ("/tmp", "/"), ("/tmp", "/home"),
            ("/tmp", "/mnt/../x"),
            ("tmp", "/mnt/x"), ("/tmp", "/dev/x"),
        ])
    func refusedMount(source: String, target: String) throws {
        let trial = try SandboxTrial("true")
        trial.specification.rules.mounts = [PolicyMount(source: source, target: target)]
        #expect(throws: SandboxError.self) { try trial.start() }
    }

    @Test func aMountDoesNotFollowALinkThatTheSessionMade() throws {
        let trial = try SandboxTrial("true")
        symlink(trial.directory, trial.directory + "/workspace/link")
        trial.specification.rules.mounts = [PolicyMount(source: "/usr/share", target: "/workspace/link/made/here")]
        #expect(throws: SandboxError.self) { try trial.start() }
        #expect(access(trial.directory + "/made", F_OK) != 0)
    }

    @Test func aLinkIsNoSourceOfAMount() throws {
        let trial = try SandboxTrial("true")
        symlink("/etc", trial.directory + "/link")
        trial.specification.rules.mounts = [PolicyMount(source: trial.directory + "/link", target: "/mnt/x")]
        #expect(throws: SandboxError.self) { try trial.start() }
    }

    @Test func aDeviceIsShown() throws {
        // Hardly a host has one that is allowed: this one all have, under the sandbox's own steps.
        let trial = try trial("test -c /dev/null && echo x >/dev/null") { $0.devices = ["/dev/null"] }
        #expect(try trial.run() == "code 0\n")
        let refused = try self.trial("true") { $0.devices = ["/dev/mem"] }
        #expect(throws: SandboxError.self) { try refused.start() }
    }

    @Test func fileSizeAndSharedMemoryAreBounded() throws {
        let trial = try trial(
            "ulimit -f >/workspace/out; df --output=size -k /dev/shm | tail -1 | tr -d ' ' >>/workspace/out"
        ) {
            $0.limits.fileSize = .mebibytes(3)
            $0.limits.sharedMemory = .mebibytes(8)
        }
        _ = try trial.run()
        #expect(trial.file("out") == "3072\n8192\n")
    }

    @Test func theStrictProfileRunsTheUsualPrograms() throws {
        let trial = try trial(
            """
            set -e
            cd /workspace && git init -q repo && cd repo && echo a >a && git add a
            git -c user.name=a -c user.email=a@b commit -qm a
            python3 -c 'import subprocess, threading; subprocess.run(["true"], check=True); t = threading.Thread(target=print); t.start(); t.join()'
            ls -laR / >/dev/null 2>&1 || true
            """
        ) { $0.seccomp.profile = .strict }
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
    }

    @Test func claudeCodeStartsUnderTheStrictProfile() throws {
        try #require(access(SandboxTrial.claude, X_OK) == 0, "Scripts/setup fetches it")
        let trial = try trial("claude --version >/workspace/out") { $0.seccomp.profile = .strict }
        trial.specification.claudeBinary = SandboxTrial.claude
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        #expect(trial.file("out").contains("Claude Code"))
    }

    @Test func theClocksSinceBootStartAnew() throws {
        let trial = try SandboxTrial("cut -d. -f1 /proc/uptime >/workspace/out")
        _ = try trial.run()
        let seconds = try #require(Int(trial.file("out").trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(seconds < 60)
    }

    @Test(.enabled(if: Landlock.version > 0)) func aLayerOfLandlockIsOn() throws {
        // The kernel takes 16: one is the sandbox's.
        let trial = try SandboxTrial(
            """
            import ctypes
            call = ctypes.CDLL(None).syscall
            rights = ctypes.c_uint64(1)
            rules = call(444, ctypes.byref(rights), 8, 0)
            count = 0
            while count < 32 and call(446, rules, 0) == 0: count += 1
            open("/workspace/out", "w").write(str(count))
            """, interpreter: "/usr/bin/python3")
        #expect(try trial.run() == "code 0\n", "\(trial.output)")
        #expect(trial.file("out") == "15")
    }
}
