import Policy
import Testing

@testable import rookery

/// What the doctor concludes from what it reads.
@Suite struct DoctorTablesTests {
    @Test(
        "what forbids user namespaces is named",
        arguments: [
            (["user/max_user_namespaces": "0"], "max_user_namespaces"),
            (["kernel/unprivileged_userns_clone": "0"], "unprivileged_userns_clone=1"),
            (["kernel/apparmor_restrict_unprivileged_userns": "1"], "userns,"), ([:], "in a container"),
            (["user/max_user_namespaces": "1000"], "in a container"),
        ] as [([String: String], String)])
    func namespaces(sysctls: [String: String], remedy: String) {
        #expect(KernelChecks.namespaceRemedies { sysctls[$0] }.joined().contains(remedy))
    }

    @Test(
        "Landlock by version",
        arguments: [(-38, Finding.Status.warn), (1, .warn), (4, .warn), (5, .warn), (6, .ok), (9, .ok)]
            as [(
                Int32, Finding.Status
            )])
    func landlock(version: Int32, status: Finding.Status) {
        #expect(LandlockCheck.finding(version: version).status == status)
    }

    @Test(
        "the kernel's preemption",
        arguments: [
            ("#1 SMP PREEMPT_RT x", nil, "", nil, "rt"), ("#1 SMP PREEMPT x", nil, "", nil, "full"),
            ("#1 SMP x", nil, "preempt=full", nil, "none or voluntary"),
            ("#1 SMP PREEMPT_DYNAMIC x", "none voluntary (lazy) full", "preempt=none", nil, "lazy"),
            ("#1 SMP PREEMPT_DYNAMIC x", nil, "quiet preempt=none preempt=full", "CONFIG_PREEMPT_NONE=y", "full"),
            (
                "#1 SMP PREEMPT_DYNAMIC x", nil, "preempt=what", "# CONFIG_PREEMPT is not set\nCONFIG_PREEMPT_NONE=y",
                "none"
            ),
            ("#1 SMP PREEMPT_DYNAMIC x", nil, "quiet", "CONFIG_PREEMPTION=y\nCONFIG_PREEMPT=y", "full"),
            ("#1 SMP PREEMPT_DYNAMIC x", nil, "quiet", nil, nil),
        ] as [(String, String?, String, String?, String?)])
    func preemption(
        version: String, chosen: String?, commandLine: String, configuration: String?, expected: String?
    ) {
        let model = PreemptionCheck.model(
            version: version, chosen: chosen, commandLine: commandLine, configuration: configuration)
        #expect(model == expected)
    }

    @Test(
        "the clock",
        arguments: [
            (1_800_000_000, true, true, Finding.Status.ok), (1_800_000_000, nil, true, .ok),
            (1_800_000_000, false, true, .warn), (1_000_000, true, true, .fail), (1_800_000_000, true, false, .fail),
        ] as [(Int, Bool?, Bool, Finding.Status)])
    func clock(seconds: Int, synchronised: Bool?, advances: Bool, status: Finding.Status) {
        let finding = ClockCheck.finding(seconds: seconds, synchronised: synchronised, advances: advances)
        #expect(finding.status == status)
    }

    @Test(
        "a filesystem is built in, a module, or missing",
        arguments: [
            ("nodev\toverlay\n", "", Finding.Status.ok), ("", "kernel/fs/overlayfs/overlay.ko.xz: x.ko\n", .ok),
            ("", "kernel/fs/overlayfs/overlay.ko", .ok), ("nodev\toverlays\n", "kernel/overlays.ko", .warn),
            ("", "", .warn),
        ])
    func filesystems(known: String, loadable: String, status: Finding.Status) {
        #expect(FileSystemChecks.filesystem("overlay", known: known, loadable: loadable).status == status)
    }

    @Test func theOptionsAreThoseOfTheLongestMountPoint() {
        let mounts = """
            1 0 8:1 / / rw,relatime - ext4 /dev/a rw,discard
            2 1 8:2 / /var/lib rw,nosuid - ext4 /dev/b rw,prjquota
            3 1 8:3 / /var/library rw - xfs /dev/c rw
            """
        #expect(DiskQuotaCheck.options(of: "/var/lib/rookery", in: mounts).contains("prjquota"))
        #expect(DiskQuotaCheck.options(of: "/var/lib", in: mounts).contains("nosuid"))
        #expect(DiskQuotaCheck.options(of: "/var/lib2", in: mounts) == ["rw", "relatime", "discard"])
        #expect(DiskQuotaCheck.options(of: "/x", in: "garbage\n1 2 3 - 4") == [])
    }

    @Test(
        "how disk limits can be enforced",
        arguments: [
            (["prjquota"], true, false, Finding.Status.ok), ([], true, true, .ok), ([], true, false, .warn),
            (["prjquota"], false, true, .warn),
        ] as [(Set<String>, Bool, Bool, Finding.Status)])
    func quota(options: Set<String>, asRoot: Bool, loops: Bool, status: Finding.Status) {
        #expect(DiskQuotaCheck.finding(options: options, asRoot: asRoot, loops: loops).status == status)
    }

    @Test func memoryIsReadFromMeminfo() {
        let text = "MemTotal:        8000000 kB\nMemAvailable:    4000000 kB\nSwapTotal:       0 kB\n"
        #expect(MemoryChecks.memory(text).status == .ok)
        #expect(MemoryChecks.memory(text.replacing("4000000", with: "400000")).status == .warn)
        #expect(MemoryChecks.memory("").status == .warn)
        #expect(MemoryChecks.outOfMemory { $0 == "panic_on_oom" ? "1" : "0" }.status == .warn)
        #expect(MemoryChecks.outOfMemory { $0 == "overcommit_memory" ? "2" : "0" }.status == .warn)
        #expect(MemoryChecks.outOfMemory { _ in "0" }.status == .ok)
    }

    @Test(
        "sessions can be frozen and killed as one",
        arguments: [
            ("1 2 0:1 / /c/freezer rw - cgroup cgroup rw,freezer", "", true, Finding.Status.ok),
            ("1 2 0:1 / /c/freezer rw - cgroup cgroup rw,freezer", "", false, .warn),
            ("1 2 0:1 / /c rw - cgroup2 cgroup2 rw", "0::/a\n", true, .ok),
            ("1 2 0:1 / /c rw - cgroup2 cgroup2 rw", "0::/a\n", false, .warn),
            ("1 2 0:1 / /c rw - cgroup2 cgroup2 rw", "0::/\n", true, .ok), ("", "", true, .warn),
        ])
    func ending(mounts: String, own: String, writable: Bool, status: Finding.Status) {
        #expect(CgroupChecks.ending(mounts: mounts, own: own) { _ in writable }.status == status)
    }

    @Test func aPathThatIsTooLongForSocketsFails() {
        #expect(SocketChecks.runtime("/tmp/" + String(repeating: "x", count: 60)).status == .fail)
    }

    // MARK: The self-test

    private static let facts = """
        pid 2
        process 2
        process 5
        Uid 1000
        CapInh 0000000000000000
        CapPrm 0000000000000000
        CapEff 0000000000000000
        CapBnd 0000000000000000
        CapAmb 0000000000000000
        NoNewPrivs 1
        Seccomp 2
        hostname inside
        interface lo
        usr closed
        workspace writable
        openfiles 4096
        tmp 524288
        """

    private static func finding(_ facts: String) -> Finding {
        SandboxSelfTest.finding(facts: facts, hostname: "host", limits: .standard)
    }

    @Test func aSandboxThatHoldsPasses() { #expect(Self.finding(Self.facts).status == .ok) }

    @Test(
        "a sandbox that does not hold fails and says where",
        arguments: [
            ("pid 2", "pid 4711", "pid"), ("process 5", "process 1", "processes"), ("Uid 1000", "Uid 0", "user"),
            ("CapEff 0000000000000000", "CapEff 0000000000200000", "CapEff"),
            ("CapBnd 0000000000000000", "CapBnd 000001ffffffffff", "CapBnd"),
            ("CapPrm 0000000000000000\n", "", "CapPrm"),
            ("NoNewPrivs 1", "NoNewPrivs 0", "no_new_privs"), ("Seccomp 2", "Seccomp 0", "seccomp"),
            ("hostname inside", "hostname host", "host name"), ("interface lo", "interface lo\ninterface eth0", "eth0"),
            ("usr closed", "usr writable", "/usr"), ("workspace writable", "workspace closed", "/workspace"),
            ("openfiles 4096", "openfiles 1048576", "files"), ("openfiles 4096", "openfiles unlimited", "files"),
            ("tmp 524288", "tmp 99999999", "/tmp"), ("tmp 524288", "", "/tmp"),
        ])
    func fault(fact: String, other: String, says: String) {
        let finding = Self.finding(Self.facts.replacing(fact, with: other))
        #expect(finding.status == .fail)
        #expect(finding.detail.contains(says))
        #expect(finding.remedy != nil)
    }

    @Test func silenceFails() { #expect(Self.finding("").status == .fail) }

    @Test func limitsThatDoNotHoldAreNamed() {
        let some = """
            policy default, rootless mode
            limit memory: asked 2GiB, enforced not at all by none (no cgroup)
            limit pids: asked 512, enforced 512 by rlimit
            limit unwritten: asked none, enforced not at all by none (the policy sets none)
            limit 7 to 4096, at most 4096
            """
        let finding = SandboxSelfTest.limitsFinding(some)
        #expect(finding.status == .warn && finding.detail.hasSuffix(": memory"))
        #expect(SandboxSelfTest.limitsFinding("limit pids: asked 512, enforced 512 by rlimit").status == .ok)
        #expect(SandboxSelfTest.limitsFinding("").status == .warn)
    }
}
