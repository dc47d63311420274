import Glibc
import Seccomp

/// What is refused by an argument of a call that is allowed otherwise.
enum ArgumentRules {
    /// The plain execution domains and the question which one it is; never less address randomisation.
    static let executionDomains: [UInt64] = [0, 0x8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF]

    /// Whose refusals are counted, beside ``SystemCalls/never``.
    static let counted = [
        "clone", "get_robust_list", "ioctl", "ioprio_set", "prctl", "prlimit64", "sched_setscheduler", "socket",
        "socketpair",
    ]

    static let explanation = """
        clone with new namespaces; ioctl TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD, TIOCVHANGUP, btrfs subvolumes, \
        FS_IOC_FSSETXATTR; sockets other than unix, TCP, UDP and route netlink; prctl PR_SET_MM and others; prlimit of \
        another process; real-time scheduling and disk priority; personality other than the plain ones
        """

    /// Calls that are refused whatever their arguments are need no rule here, and libseccomp takes none.
    static func add(to filter: Filter, except refused: Set<String>) throws(FilterFault) {
        let filter = ArgumentFilter(filter: filter, refused: refused)
        // A namespace of one's own is the door to most kernel exploits. clone3 hides its flags in memory; it is in
        // no list, and libc falls back to clone on ENOSYS. (CLONE_NEWTIME, 0x80, means nothing to clone: there it is a
        // part of the exit signal.)
        for flag in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
            try filter.refuse("clone", [.bits(0, mask: UInt64(flag), equal: UInt64(flag))])
        }
        try refuseControls(filter)
        try refuseSockets(filter)
        // Changing what /proc/self shows of this process, switching speculation guards off, watching for hidden tasks.
        for option in [
            35 /* PR_SET_MM */, 31 /* PR_TASK_PERF_EVENTS_DISABLE */, 32, 53 /* PR_SET_SPECULATION_CTRL */,
        ] {
            try filter.refuse("prctl", [.equal(0, UInt64(option))])
        }
        // Rootless, pid 1 has the same uid as the command.
        try filter.refuse("prlimit64", [.not(0, 0)])
        try filter.refuse("get_robust_list", [.not(0, 0)])
        // Real-time scheduling starves the box; so does real-time disk priority.
        for policy in [UInt64(1), 2, 6] {
            try filter.refuse("sched_setscheduler", [.bits(1, mask: 0xF, equal: policy)])
        }
        try filter.refuse("ioprio_set", [.bits(2, mask: 0xE000, equal: 1 << 13)])
    }

    private static func refuseControls(_ filter: ArgumentFilter) throws(FilterFault) {
        // Typing into a terminal, the console, line disciplines (CVE-2017-5226 and after). The kernel looks at the low
        // 32 bits only, so the filter does too (CVE-2019-10063).
        let terminal = [
            UInt64(TIOCSTI), 0x541C /* TIOCLINUX */, 0x541D /* TIOCCONS */, 0x5423 /* TIOCSETD */,
            0x5437, /* TIOCVHANGUP */
        ]
        // btrfs subvolumes and snapshots and a file's project, which escape a disk quota.
        let quota: [UInt64] = [
            0x5000_9401, 0x5000_940E, 0x5000_9417, 0x5000_9418, 0x401C_5820 /* FS_IOC_FSSETXATTR */,
        ]
        for request in terminal + quota { try filter.refuse("ioctl", [.equal(1, request)]) }
    }

    private static func refuseSockets(_ filter: ArgumentFilter) throws(FilterFault) {
        let (unix, four, six, netlink, vsock) = (UInt64(1), UInt64(2), UInt64(10), UInt64(16), UInt64(40))
        // Packets past the network's own rules, vsock, which knows no network namespaces, and what else there is.
        // Comparisons of all 64 bits, where the kernel looks at 32, refuse more than it would take, never less.
        for family in UInt64(0)...vsock where ![unix, four, six, netlink].contains(family) {
            try filter.refuse("socket", [.equal(0, family)])
        }
        try filter.refuse("socket", [.above(0, vsock)])
        // Route netlink alone.
        try filter.refuse("socket", [.equal(0, netlink), .not(2, 0)])
        for family in [four, six] {
            try filter.refuse(
                "socket", [.equal(0, family), .bits(1, mask: 0xF, equal: 3 /* SOCK_RAW */)])
            // Streams and datagrams, by TCP and UDP.
            for kind in UInt64(0)...15 where ![1, 2, 3].contains(kind) {
                try filter.refuse("socket", [.equal(0, family), .bits(1, mask: 0xF, equal: kind)])
            }
            for kind in [UInt64(1), 2] {
                let of = [ArgumentTest.equal(0, family), .bits(1, mask: 0xF, equal: kind)]
                for number in UInt64(1)...17 where ![6, 17].contains(number) {
                    try filter.refuse("socket", of + [.equal(2, number)])
                }
                try filter.refuse("socket", of + [.above(2, 17)])
            }
        }
        try filter.refuse("socketpair", [.not(0, 1)])
    }
}

/// Leaves a call with such arguments to the listener.
private struct ArgumentFilter {
    let filter: Filter
    let refused: Set<String>

    func refuse(_ name: String, _ tests: [ArgumentTest]) throws(FilterFault) {
        if !refused.contains(name) { try filter.add(.notify, name, tests) }
    }
}
