import Glibc
import Testing

@testable import Sandbox

@Suite struct CgroupsTests {
    struct Machine: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var mounts: String
        var own: String
        var offered: [String: Set<String>] = [:]
        var kind: Cgroups.Kind
        var bases: [String: String] = [:]
        var controllers: Set<String> = []
    }

    static let v1Mounts = """
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """

    static let machines = [
        Machine(
            testDescription: "systemd machine",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
            own: "0::/system.slice/rookery.service\n",
            offered: ["/sys/fs/cgroup/system.slice/rookery.service": ["cpu", "io", "memory", "pids"]], kind: .v2,
            bases: ["unified": "/sys/fs/cgroup/system.slice/rookery.service"],
            controllers: ["cpu", "memory", "pids", "io"]),
        Machine(
            testDescription: "a subtree with cpuset",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", own: "0::/r.service\n",
            offered: ["/sys/fs/cgroup/r.service": ["cpuset", "cpu", "memory", "hugetlb"]], kind: .v2,
            bases: ["unified": "/sys/fs/cgroup/r.service"], controllers: ["cpuset", "cpu", "memory"]),
        Machine(
            testDescription: "started again after moving itself",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", own: "0::/r.service/rookery-supervisor\n",
            offered: ["/sys/fs/cgroup/r.service": ["memory", "pids"]], kind: .v2,
            bases: ["unified": "/sys/fs/cgroup/r.service"], controllers: ["memory", "pids"]),
        Machine(
            testDescription: "v2 in a container with its own cgroup namespace",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw", own: "0::/\n",
            offered: ["/sys/fs/cgroup": ["memory", "pids", "cpu"]], kind: .v2, bases: ["unified": "/sys/fs/cgroup"],
            controllers: ["cpu", "memory", "pids"]),
        Machine(
            testDescription: "v2 in a container that shows a part",
            mounts: "30 23 0:26 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup rw", own: "0::/docker/ab/x\n",
            offered: ["/sys/fs/cgroup/x": ["memory"]], kind: .v2, bases: ["unified": "/sys/fs/cgroup/x"],
            controllers: ["memory"]),
        Machine(
            testDescription: "read-only v2", mounts: "30 23 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw",
            own: "0::/\n", offered: ["/sys/fs/cgroup": ["memory"]], kind: .none),
        Machine(
            testDescription: "v2 path outside of the namespace",
            mounts: "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw", own: "0::/../../x\n",
            offered: ["/sys/fs/cgroup": ["memory"]], kind: .none),
        Machine(
            testDescription: "hybrid machine: the controllers are v1's", mounts: v1Mounts,
            own: "8:pids:/\n4:memory:/process_api/ab\n1:cpu:/\n0::/\n",
            offered: ["/sys/fs/cgroup/unified": ["hugetlb"]],
            kind: .v1,
            bases: [
                "cpu": "/sys/fs/cgroup/cpu", "memory": "/sys/fs/cgroup/memory/process_api/ab",
                "pids": "/sys/fs/cgroup/pids",
            ], controllers: ["cpu", "memory", "pids"]),
        Machine(
            testDescription: "v1 with controllers mounted together",
            mounts: """
                1 0 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
                3 0 0:3 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
                2 0 0:2 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
                """, own: "2:cpu,cpuacct:/a\n3:freezer:/\n4:memory:/\n5:cpuset:/b\n", kind: .v1,
            bases: [
                "cpu": "/sys/fs/cgroup/cpu,cpuacct/a", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/a",
                "freezer": "/sys/fs/cgroup/freezer", "cpuset": "/sys/fs/cgroup/cpuset/b",
            ], controllers: ["cpu"]),
        Machine(
            testDescription: "a mount point with a space",
            mounts: "1 0 0:1 / /mnt/my\\040groups rw - cgroup cgroup rw,memory", own: "4:memory:/\n", kind: .v1,
            bases: ["memory": "/mnt/my groups"], controllers: ["memory"]),
        Machine(
            testDescription: "an unlimiting hierarchy only",
            mounts: "1 0 0:1 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer", own: "4:freezer:/\n", kind: .none),
        Machine(testDescription: "nothing mounted", mounts: "1 0 0:1 / / rw - ext4 /dev/vda rw", own: "", kind: .none),
        Machine(testDescription: "garbage", mounts: "\n - - -\nx\n1 2 3 4 5 6 -", own: ":::\n\nx:y\n9:a", kind: .none),
    ]

    @Test("detection", arguments: machines)
    func find(machine: Machine) {
        let found = Cgroups.find(
            mountinfo: machine.mounts, ownCgroups: machine.own, offered: { machine.offered[$0] ?? [] })
        #expect(found.kind == machine.kind)
        #expect(found.bases == machine.bases)
        #expect(found.controllers == machine.controllers)
        #expect((found.reason == nil) == (machine.kind != .none))
    }

    @Test func detectionOfThisMachineNamesDirectoriesThatAreThere() {
        let found = Cgroups.detect()
        for directory in found.bases.values { #expect(access(directory, W_OK) == 0, "\(directory)") }
        if found.kind == .none { #expect(found.reason != nil) }
    }

    @Test func instancesDifferByStateDirectory() {
        let one = CgroupParent(.none("test"), stateDirectory: "/var/lib/rookery").name
        let other = CgroupParent(.none("test"), stateDirectory: "/var/lib/rookery2").name
        #expect(one != other)
        #expect(one == CgroupParent(.none("again"), stateDirectory: "/var/lib/rookery").name)
        #expect(one.wholeMatch(of: /rookery-[0-9a-f]{8}/) != nil)
    }
}
