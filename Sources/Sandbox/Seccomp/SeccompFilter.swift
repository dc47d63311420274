import CSeccomp
import Glibc

/// What the kernel does with a call (seccomp(2)); the macros of seccomp.h that Swift cannot import.
enum SeccompAction {
    case allow
    case killProcess
    case refuse(Int32)
    /// Ask the holder of the filter's listener.
    case notify

    var value: UInt32 {
        switch self {
        case .allow: 0x7FFF_0000
        case .killProcess: 0x8000_0000
        case .refuse(let errno): 0x0005_0000 | UInt32(errno & 0xFFFF)
        case .notify: 0x7FC0_0000
        }
    }
}

/// One condition on one argument of a system call, the first of which is 0.
enum ArgumentTest {
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

    /// The low 32 bits are this: of these arguments the kernel looks at no more.
    static func equal(_ index: UInt32, _ value: UInt64) -> ArgumentTest {
        .bits(index, mask: 0xFFFF_FFFF, equal: value)
    }
}

/// A libseccomp context, for the native architecture only: a call of another one (32-bit, x32) kills the process.
final class SeccompFilter {
    private let context: scmp_filter_ctx

    init(
        otherwise action: SeccompAction, _ rules: (SeccompFilter) throws(SandboxError) -> Void
    ) throws(SandboxError) {
        guard let context = seccomp_init(action.value) else {
            throw SandboxError(step: "seccomp", errno: ENOMEM, message: "libseccomp could not make a filter")
        }
        self.context = context
        let kill = SeccompAction.killProcess.value
        try Self.check("bad architecture action", seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, kill))
        // A search tree instead of a list: the 300 names cost eight comparisons instead of up to 300.
        try Self.check("optimisation", seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
        try rules(self)
    }

    deinit { seccomp_release(context) }

    /// A name that this machine's libseccomp does not know, or this architecture does not have, is left out.
    func add(_ action: SeccompAction, _ name: String, _ tests: [ArgumentTest] = []) throws(SandboxError) {
        guard let number = Self.number(of: name) else { return }
        let result = seccomp_rule_add_array(
            context, action.value, number, UInt32(tests.count), tests.map(\.comparison))
        try Self.check("rule for \(name)", result)
    }

    /// nil for a name that libseccomp does not know, or that this architecture does not have.
    static func number(of name: String) -> Int32? {
        let number = seccomp_syscall_resolve_name(name)
        return number >= 0 ? number : nil
    }

    /// Whether any architecture has a call of that name.
    static func knows(_ name: String) -> Bool { seccomp_syscall_resolve_name(name) != -1 /* __NR_SCMP_ERROR */ }

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
