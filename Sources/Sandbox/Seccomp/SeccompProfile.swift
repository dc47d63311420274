import CLinux
import CSeccomp
import Glibc

/// A session's seccomp filter, compiled to BPF outside the sandbox so that the inside only loads bytes.
public struct SeccompProfile: Sendable {
    /// What every session gets.
    public static let standard = SeccompProfile()

    /// The programs, each an array of `struct sock_filter`, to be installed in this order. Two, because libseccomp
    /// cannot say "allowed unless an argument is this": the first refuses by argument and allows the rest, the second
    /// knows only numbers; the kernel takes the stricter answer of both.
    public func compile() throws(SandboxError) -> [[UInt8]] {
        [
            try Filter(otherwise: allowAction) { filter throws(SandboxError) in
                try Self.refuseArguments(filter)
            }.program(),
            try Filter(otherwise: errnoAction(ENOSYS)) { filter throws(SandboxError) in
                for name in SystemCalls.allowed { try filter.add(allowAction, name) }
                for name in SystemCalls.refused { try filter.add(errnoAction(EPERM), name) }
                // The plain execution domains and the question which one it is; never less address randomisation.
                for domain in [UInt64(0), 0x8, 0x2_0000, 0x2_0008, 0xFFFF_FFFF] {
                    try filter.add(
                        allowAction, "personality", [.bits(0, mask: 0xFFFF_FFFF, equal: domain)])
                }
            }.program(),
        ]
    }

    /// The program of rookery-init once the command runs: PID 1 only waits, reaps, and passes signals on.
    static func compileForInit() throws(SandboxError) -> [UInt8] {
        try Filter(otherwise: killProcessAction) { filter throws(SandboxError) in
            for name in SystemCalls.ofInit { try filter.add(allowAction, name) }
        }.program()
    }

    private static func refuseArguments(_ filter: Filter) throws(SandboxError) {
        // A namespace of one's own is the door to most kernel exploits. clone3 hides its flags in memory; it is in
        // no list, and libc falls back to clone on ENOSYS.
        for flag in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
            try filter.add(errnoAction(EPERM), "clone", [.bits(0, mask: UInt64(flag), equal: UInt64(flag))])
        }
        // Typing into a terminal, the console, line disciplines (CVE-2017-5226 and after). The kernel looks at the low
        // 32 bits only, so the filter does too (CVE-2019-10063).
        // Then btrfs subvolumes and snapshots and a file's project, which escape a disk quota.
        let terminal = [UInt64(TIOCSTI), 0x541C /* TIOCLINUX */, 0x541D /* TIOCCONS */, 0x5423 /* TIOCSETD */]
        let quota: [UInt64] = [
            0x5000_9401, 0x5000_940E, 0x5000_9417, 0x5000_9418, 0x401C_5820 /* FS_IOC_FSSETXATTR */,
        ]
        for request in terminal + quota {
            try filter.add(errnoAction(EPERM), "ioctl", [.bits(1, mask: 0xFFFF_FFFF, equal: request)])
        }
        // Unix, IPv4, IPv6 and route netlink; in particular no vsock, which knows no network namespaces.
        for family in UInt64(0)...16 where ![1, 2, 10, 16].contains(family) {
            try filter.add(
                errnoAction(EAFNOSUPPORT), "socket", [.bits(0, mask: 0xFFFF_FFFF, equal: family)])
        }
        try filter.add(errnoAction(EAFNOSUPPORT), "socket", [.above(0, 16)])
        try filter.add(
            errnoAction(EPROTONOSUPPORT), "socket", [.bits(0, mask: 0xFFFF_FFFF, equal: 16), .not(2, 0)])
        try filter.add(errnoAction(EAFNOSUPPORT), "socketpair", [.not(0, 1)])
        for family in [UInt64(2), 10] {
            try filter.add(
                errnoAction(EPERM), "socket",
                [.bits(0, mask: 0xFFFF_FFFF, equal: family), .bits(1, mask: 0xF, equal: 3 /* SOCK_RAW */)])
        }
        // Real-time scheduling starves the box.
        for policy in [UInt64(1), 2, 6] {
            try filter.add(errnoAction(EPERM), "sched_setscheduler", [.bits(1, mask: 0xF, equal: policy)])
        }
    }
}

// The macros of seccomp.h that Swift cannot import.
private let allowAction: UInt32 = 0x7FFF_0000
private let killProcessAction: UInt32 = 0x8000_0000
private func errnoAction(_ errno: Int32) -> UInt32 { 0x0005_0000 | UInt32(errno & 0xFFFF) }

/// One condition on one argument of a system call.
private enum ArgumentTest {
    case bits(UInt32, mask: UInt64, equal: UInt64)
    case above(UInt32, UInt64)
    case not(UInt32, UInt64)

    var comparison: scmp_arg_cmp {
        switch self {
        case .bits(let index, let mask, let value):
            scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        case .above(let index, let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
        case .not(let index, let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
        }
    }
}

/// A libseccomp context, for the native architecture only: a call of another one (32-bit, x32) kills the process.
private final class Filter {
    private let context: scmp_filter_ctx

    init(
        otherwise action: UInt32, _ rules: (Filter) throws(SandboxError) -> Void
    ) throws(SandboxError) {
        guard let context = seccomp_init(action) else {
            throw SandboxError(step: "seccomp", errno: ENOMEM, message: "libseccomp could not make a filter")
        }
        self.context = context
        try Self.check(
            "bad architecture action", seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, killProcessAction))
        try rules(self)
    }

    deinit { seccomp_release(context) }

    func add(_ action: UInt32, _ name: String, _ tests: [ArgumentTest] = []) throws(SandboxError) {
        let number = seccomp_syscall_resolve_name(name)
        // __NR_SCMP_ERROR, or a pseudo number: this architecture does not have the call.
        guard number >= 0 else { return }
        let result = seccomp_rule_add_array(context, action, number, UInt32(tests.count), tests.map(\.comparison))
        try Self.check("rule for \(name)", result)
    }

    func program() throws(SandboxError) -> [UInt8] {
        // The kernel takes at most 4096 instructions, 32 KiB: they fit a pipe's 64 KiB.
        let read: OwnedDescriptor
        let write: OwnedDescriptor
        do { (read, write) = try DescriptorMessages.pipe() } catch {
            throw SandboxError(step: "seccomp", errno: error.errno, message: "\(error)")
        }
        try Self.check("export", seccomp_export_bpf(context, write.number))
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(read.number, &bytes, bytes.count)
        guard count > 0, count % 8 == 0 else {
            throw SandboxError(step: "seccomp", errno: EIO, message: "the compiled filter could not be read back")
        }
        return Array(bytes.prefix(count))
    }

    private static func check(_ what: String, _ result: Int32) throws(SandboxError) {
        guard result < 0 else { return }
        throw SandboxError(
            step: "seccomp", errno: -result, message: "libseccomp, \(what): \(SystemError.reason(-result))",
            remedy: "install libseccomp 2.5 or later")
    }
}
