import Testing

@testable import rookery

@Suite struct CgroupChecksTests {
    private static let version1 = """
        30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
        31 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
        """
    private static let version2 = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate"

    @Test func `version 2 wins where it has controllers`() {
        let both = Self.version1 + "\n" + Self.version2
        let found = CgroupChecks.hierarchies(mounts: both, own: "") { _ in "cpu io memory pids" }
        #expect(found.version == "v2" && found.directories["pids"] == "/sys/fs/cgroup")
        let hybrid = CgroupChecks.hierarchies(mounts: both, own: "") { _ in "" }
        #expect(hybrid.version == "v1" && hybrid.directories["cpu"] == "/sys/fs/cgroup/cpu,cpuacct")
    }

    @Test func `an ordinary user has what the machine delegates to the user's systemd`() {
        let found = CgroupChecks.hierarchies(mounts: Self.version2, own: "", users: "/u") {
            $0 == "/u" ? "memory pids\n" : "cpuset cpu io memory pids\n"
        }
        let findings = CgroupChecks.findings(found) { $0 == "/u" }
        #expect(findings.map(\.status) == [.ok, .warn, .ok, .warn, .warn])
        #expect(findings[1].remedy?.contains("systemctl edit user@.service") == true)
        #expect(CgroupChecks.ending(mounts: Self.version2, own: "0::/a\n", users: "/u") { _ in false }.status == .ok)
    }

    @Test func `what cannot be enforced is said`() {
        let none = CgroupChecks.findings(.init(version: "none", directories: [:])) { _ in true }
        #expect(none.map(\.status) == [.warn])
        let some = CgroupChecks.findings(.init(version: "v1", directories: ["memory": "/m", "cpu": "/c"])) {
            $0 == "/m"
        }
        // Memory, then cpu, pids, io and cpuset.
        #expect(some.map(\.status) == [.ok, .warn, .warn, .warn, .warn])
    }
}
