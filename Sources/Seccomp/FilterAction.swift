import CSeccomp
import Glibc

/// What the kernel does with a call (seccomp(2)); the macros of seccomp.h that Swift cannot import.
public enum FilterAction: Sendable {
    case allow
    case killProcess
    /// The call fails with this errno.
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
public enum ArgumentTest: Sendable {
    case bits(UInt32, mask: UInt64, equal: UInt64)
    case above(UInt32, UInt64)
    case not(UInt32, UInt64)

    /// The low 32 bits are this: of these arguments the kernel looks at no more.
    public static func equal(_ index: UInt32, _ value: UInt64) -> ArgumentTest {
        .bits(index, mask: 0xFFFF_FFFF, equal: value)
    }

    var comparison: scmp_arg_cmp {
        switch self {
        case .bits(let index, let mask, let value):
            scmp_arg_cmp(arg: index, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        case .above(let index, let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
        case .not(let index, let value): scmp_arg_cmp(arg: index, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
        }
    }
}
