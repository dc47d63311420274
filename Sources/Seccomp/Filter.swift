import CLinux
import CSeccomp
import Glibc

/// A libseccomp context, for the native architecture only: a call of another one (32-bit, x32) kills the process.
public final class Filter {
    private let context: scmp_filter_ctx

    /// With `action` for every call that has no rule.
    public init(otherwise action: FilterAction) throws(FilterFault) {
        guard let context = seccomp_init(action.value) else {
            throw FilterFault(errno: ENOMEM, message: "libseccomp could not make a filter")
        }
        self.context = context
        try set(SCMP_FLTATR_ACT_BADARCH, FilterAction.killProcess.value)
        // A search tree instead of a list: the 300 names cost eight comparisons instead of up to 300.
        try set(SCMP_FLTATR_CTL_OPTIMIZE, 2)
    }

    deinit { seccomp_release(context) }

    /// A name that this machine's libseccomp does not know, or this architecture does not have, is left out.
    public func add(_ action: FilterAction, _ name: String, _ tests: [ArgumentTest] = []) throws(FilterFault) {
        guard let number = Self.number(of: name) else { return }
        let result = seccomp_rule_add_array(
            context, action.value, number, UInt32(tests.count), tests.map(\.comparison))
        try Self.check("rule for \(name)", result)
    }

    /// nil for a name that libseccomp does not know, or that this architecture does not have.
    public static func number(of name: String) -> Int32? {
        let number = seccomp_syscall_resolve_name(name)
        return number >= 0 ? number : nil
    }

    /// Whether any architecture has a call of that name.
    public static func knows(_ name: String) -> Bool {
        seccomp_syscall_resolve_name(name) != -1 /* __NR_SCMP_ERROR */
    }

    /// An array of `struct sock_filter`.
    public func program() throws(FilterFault) -> [UInt8] {
        // The kernel takes at most 4096 instructions, 32 KiB: they fit a pipe's 64 KiB.
        var pipe: (read: Int32, write: Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pipe) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { rk_pipe($0) }
        }
        guard made >= 0 else { throw FilterFault(errno: -made, message: "pipe for the compiled filter") }
        defer {
            close(pipe.read)
            close(pipe.write)
        }
        try Self.check("export", seccomp_export_bpf(context, pipe.write))
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(pipe.read, &bytes, bytes.count)
        guard count > 0, count % 8 == 0 else {
            throw FilterFault(errno: EIO, message: "the compiled filter could not be read back")
        }
        return Array(bytes.prefix(count))
    }

    /// Installs it on all threads of this process, or on none, for good.
    public func load() throws(FilterFault) {
        try set(SCMP_FLTATR_CTL_NNP, 1)
        try set(SCMP_FLTATR_CTL_TSYNC, 1)
        try Self.check("load", seccomp_load(context))
    }

    private func set(_ attribute: scmp_filter_attr, _ value: UInt32) throws(FilterFault) {
        try Self.check("attribute \(attribute.rawValue)", seccomp_attr_set(context, attribute, value))
    }

    private static func check(_ what: String, _ result: Int32) throws(FilterFault) {
        guard result < 0 else { return }
        throw FilterFault(errno: -result, message: "libseccomp, \(what)")
    }
}

/// A filter that libseccomp or the kernel did not take.
public struct FilterFault: Error, Sendable, Hashable {
    public var errno: Int32
    /// Without the errno's words.
    public var message: String
}
