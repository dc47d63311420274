import CSeccomp
import Glibc

/// The seccomp filter that a program of ours puts on itself: no exec, no new process, no namespaces, no other's memory
/// or signals. For the native architecture only: a call of another one (32-bit, x32) kills the process.
final class ProcessFilter {
    private let context: scmp_filter_ctx

    init(watchesProcesses: Bool) throws(ConfinementError) {
        guard let context = seccomp_init(errnoAction(ENOSYS)) else {
            throw ConfinementError(step: "seccomp", errno: ENOMEM, message: "libseccomp could not make a filter")
        }
        self.context = context
        try set(SCMP_FLTATR_ACT_BADARCH, killProcessAction)
        try set(SCMP_FLTATR_CTL_NNP, 1)
        // All threads or none.
        try set(SCMP_FLTATR_CTL_TSYNC, 1)
        // A binary tree instead of a list of some two hundred comparisons.
        try set(SCMP_FLTATR_CTL_OPTIMIZE, 2)
        for name in SystemCalls.allowed { try add(allowAction, name) }
        for name in SystemCalls.refused { try add(errnoAction(EPERM), name) }
        try add(watchesProcesses ? allowAction : errnoAction(EPERM), "pidfd_open")
        try addThreads()
        try addSockets()
        try addArguments()
    }

    deinit { seccomp_release(context) }

    /// Installs it, for good.
    func load() throws(ConfinementError) { try Self.check("load", seccomp_load(context)) }

    /// Threads of this process, and signals to itself. clone3 hides its flags in memory and stays ENOSYS: the C library
    /// falls back to clone.
    private func addThreads() throws(ConfinementError) {
        let namespaces: UInt64 = 0x7E02_0080
        let thread: UInt64 = 0x0001_0000
        try add(allowAction, "clone", [.bits(0, mask: thread | namespaces, equal: thread)])
        try add(errnoAction(EPERM), "clone", [.bits(0, mask: thread, equal: 0)])
        let own = UInt64(getpid())
        for call in ["tgkill", "kill"] {
            try add(allowAction, call, [.bits(0, mask: 0xFFFF_FFFF, equal: own)])
            try add(errnoAction(EPERM), call, [.not(0, own)])
        }
    }

    private func addSockets() throws(ConfinementError) {
        let low: UInt64 = 0xFFFF_FFFF
        for family in SystemCalls.families {
            // Streams, datagrams and sequenced packets; never raw ones.
            for type in [UInt64(1), 2, 5] {
                try add(
                    allowAction, "socket",
                    [.bits(0, mask: low, equal: family), .bits(1, mask: 0xF, equal: type)])
            }
        }
        // The resolver asks route netlink which addresses this host has.
        let netlink: UInt64 = 16
        try add(allowAction, "socket", [.bits(0, mask: low, equal: netlink), .bits(2, mask: low, equal: 0)])
        try add(allowAction, "socketpair", [.bits(0, mask: low, equal: 1)])
        for family in UInt64(0)...63 where family != netlink && !SystemCalls.families.contains(family) {
            try add(errnoAction(EAFNOSUPPORT), "socket", [.bits(0, mask: low, equal: family)])
        }
    }

    private func addArguments() throws(ConfinementError) {
        for request in SystemCalls.ioctls {
            try add(allowAction, "ioctl", [.bits(1, mask: 0xFFFF_FFFF, equal: request)])
        }
        for option in SystemCalls.prctls {
            try add(allowAction, "prctl", [.bits(0, mask: 0xFFFF_FFFF, equal: option)])
        }
        // Dispatch sets the priority of its own threads.
        try add(
            allowAction, "setpriority",
            [.bits(0, mask: 0xFFFF_FFFF, equal: 0), .bits(1, mask: 0xFFFF_FFFF, equal: 0)])
        // Limits of itself alone.
        try add(allowAction, "prlimit64", [.bits(0, mask: 0xFFFF_FFFF, equal: 0)])
    }

    // MARK: libseccomp

    /// One condition on one argument of a system call.
    private enum ArgumentTest {
        case bits(UInt32, mask: UInt64, equal: UInt64)
        case not(UInt32, UInt64)

        var comparison: scmp_arg_cmp {
            switch self {
            case .bits(let index, let mask, let value):
                scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
            case .not(let index, let value):
                scmp_arg_cmp(arg: index, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
            }
        }
    }

    private func set(_ attribute: scmp_filter_attr, _ value: UInt32) throws(ConfinementError) {
        try Self.check("attribute \(attribute.rawValue)", seccomp_attr_set(context, attribute, value))
    }

    private func add(_ action: UInt32, _ name: String, _ tests: [ArgumentTest] = []) throws(ConfinementError) {
        let number = seccomp_syscall_resolve_name(name)
        // __NR_SCMP_ERROR, or a pseudo number: this architecture does not have the call.
        guard number >= 0 else { return }
        let result = seccomp_rule_add_array(context, action, number, UInt32(tests.count), tests.map(\.comparison))
        try Self.check("rule for \(name)", result)
    }

    private static func check(_ what: String, _ result: Int32) throws(ConfinementError) {
        guard result < 0 else { return }
        throw ConfinementError(step: "seccomp", errno: -result, message: "libseccomp, \(what)")
    }
}

// The macros of seccomp.h that Swift cannot import.
private let allowAction: UInt32 = 0x7FFF_0000
private let killProcessAction: UInt32 = 0x8000_0000
private func errnoAction(_ errno: Int32) -> UInt32 { 0x0005_0000 | UInt32(errno & 0xFFFF) }
