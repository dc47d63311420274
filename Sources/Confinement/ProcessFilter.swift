import Glibc
import Seccomp

/// The seccomp filter that a program of ours puts on itself: no exec, no new process, no namespaces, no other's memory
/// or signals. For the native architecture only: a call of another one (32-bit, x32) kills the process.
struct ProcessFilter {
    private let filter: Filter

    init(watchesProcesses: Bool) throws(ConfinementError) {
        do throws(FilterFault) {
            filter = try Filter(otherwise: .refuse(ENOSYS))
            try addRules(watchesProcesses: watchesProcesses)
        } catch { throw ConfinementError(error) }
    }

    /// Installs it on all threads, for good.
    func load() throws(ConfinementError) {
        do throws(FilterFault) { try filter.load() } catch { throw ConfinementError(error) }
    }

    private func addRules(watchesProcesses: Bool) throws(FilterFault) {
        for name in SystemCalls.allowed { try filter.add(.allow, name) }
        for name in SystemCalls.refused { try filter.add(.refuse(EPERM), name) }
        try filter.add(watchesProcesses ? .allow : .refuse(EPERM), "pidfd_open")
        try addThreads()
        try addSockets()
        try addArguments()
    }

    /// Threads of this process, and signals to itself. clone3 hides its flags in memory and stays ENOSYS: the C library
    /// falls back to clone.
    private func addThreads() throws(FilterFault) {
        let namespaces: UInt64 = 0x7E02_0080
        let thread: UInt64 = 0x0001_0000
        try filter.add(.allow, "clone", [.bits(0, mask: thread | namespaces, equal: thread)])
        try filter.add(.refuse(EPERM), "clone", [.bits(0, mask: thread, equal: 0)])
        let own = UInt64(getpid())
        for call in ["tgkill", "kill"] {
            try filter.add(.allow, call, [.bits(0, mask: 0xFFFF_FFFF, equal: own)])
            try filter.add(.refuse(EPERM), call, [.not(0, own)])
        }
    }

    private func addSockets() throws(FilterFault) {
        let low: UInt64 = 0xFFFF_FFFF
        for family in SystemCalls.families {
            // Streams, datagrams and sequenced packets; never raw ones.
            for type in [UInt64(1), 2, 5] {
                try filter.add(
                    .allow, "socket",
                    [.bits(0, mask: low, equal: family), .bits(1, mask: 0xF, equal: type)])
            }
        }
        // The resolver asks route netlink which addresses this host has.
        let netlink: UInt64 = 16
        try filter.add(.allow, "socket", [.bits(0, mask: low, equal: netlink), .bits(2, mask: low, equal: 0)])
        try filter.add(.allow, "socketpair", [.bits(0, mask: low, equal: 1)])
        for family in UInt64(0)...63 where family != netlink && !SystemCalls.families.contains(family) {
            try filter.add(.refuse(EAFNOSUPPORT), "socket", [.bits(0, mask: low, equal: family)])
        }
    }

    private func addArguments() throws(FilterFault) {
        for request in SystemCalls.ioctls {
            try filter.add(.allow, "ioctl", [.bits(1, mask: 0xFFFF_FFFF, equal: request)])
        }
        for option in SystemCalls.prctls {
            try filter.add(.allow, "prctl", [.bits(0, mask: 0xFFFF_FFFF, equal: option)])
        }
        // Dispatch sets the priority of its own threads.
        try filter.add(
            .allow, "setpriority",
            [.bits(0, mask: 0xFFFF_FFFF, equal: 0), .bits(1, mask: 0xFFFF_FFFF, equal: 0)])
        // Limits of itself alone.
        try filter.add(.allow, "prlimit64", [.bits(0, mask: 0xFFFF_FFFF, equal: 0)])
    }
}

extension ConfinementError {
    init(_ fault: FilterFault) { self.init(step: "seccomp", errno: fault.errno, message: fault.message) }
}
