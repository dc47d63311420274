import Glibc
public import Policy
import Seccomp

/// A session's seccomp filter, compiled to BPF outside the sandbox so that the inside only loads bytes.
public struct SeccompProfile: Sendable, Hashable {
    /// Sorted.
    let allowed: [String]
    /// Refused with EPERM: harmless programs ask for these.
    let refused: [String]
    /// Refused likewise because the policy says so, and counted.
    let refusedByPolicy: [String]

    /// The standard profile with the policy's changes. Throws for a name that is no system call, that no session may
    /// make, or that is both allowed and refused.
    public init(_ rules: SeccompRules) throws(SandboxError) {
        for name in (rules.allow.union(rules.refuse)).sorted() where !Filter.knows(name) {
            throw Self.refusal("'\(name.prefix(64))' is not a system call", "write its name as in syscalls(2)")
        }
        if let name = rules.allow.intersection(SystemCalls.never + SystemCalls.hidden).min() {
            throw Self.refusal(
                "no session may call \(name)", "take it out of seccomp.allow: it leads out of the sandbox")
        }
        if let name = rules.allow.intersection(rules.refuse).min() {
            throw Self.refusal("\(name) is both allowed and refused", "take it out of one of the lists")
        }
        if let name = rules.refuse.intersection(Self.needed).min() {
            throw Self.refusal("without \(name) no program starts", "take it out of seccomp.refuse")
        }
        var allowed = Set(SystemCalls.allowed)
        if rules.profile == .strict { allowed.subtract(SystemCalls.notInStrict) }
        allowed.formUnion(rules.allow)
        allowed.subtract(rules.refuse)
        self.allowed = allowed.sorted()
        refused = Set(SystemCalls.unneeded).subtracting(rules.allow).subtracting(rules.refuse).sorted()
        refusedByPolicy = rules.refuse.subtracting(SystemCalls.never).sorted()
    }

    /// What is called before a program's own first instruction.
    static let needed: Set<String> = [
        "arch_prctl", "brk", "close", "execve", "exit_group", "mmap", "mprotect", "munmap", "openat", "read",
        "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "set_tid_address", "write",
    ]

    /// The programs, each an array of `struct sock_filter`, to be installed in this order. Two, because libseccomp
    /// cannot say "allowed unless an argument is this": the first leaves what is known bad to the listener (EPERM, and
    /// counted) and allows the rest, the second knows only numbers; the kernel takes the stricter answer of both.
    func compile() throws(SandboxError) -> [[UInt8]] {
        [
            try Self.program(otherwise: .allow) { filter throws(FilterFault) in
                for name in SystemCalls.never + refusedByPolicy { try filter.add(.notify, name) }
                try ArgumentRules.add(to: filter, except: Set(refusedByPolicy))
            },
            try Self.program(otherwise: .refuse(ENOSYS)) { filter throws(FilterFault) in
                for name in allowed { try filter.add(.allow, name) }
                for name in refused { try filter.add(.refuse(EPERM), name) }
                // The first filter has them. Its word is the stricter one, but only over "allow".
                for name in SystemCalls.never + refusedByPolicy { try filter.add(.allow, name) }
                for domain in ArgumentRules.executionDomains where !refusedByPolicy.contains("personality") {
                    try filter.add(.allow, "personality", [.equal(0, domain)])
                }
            },
        ]
    }

    /// The program of rookery-init once the command runs: PID 1 only waits, reaps, and passes signals on.
    static func compileForInit() throws(SandboxError) -> [UInt8] {
        try program(otherwise: .killProcess) { filter throws(FilterFault) in
            for name in SystemCalls.ofInit { try filter.add(.allow, name) }
        }
    }

    private static func program(
        otherwise action: FilterAction, _ rules: (Filter) throws(FilterFault) -> Void
    ) throws(SandboxError) -> [UInt8] {
        do throws(FilterFault) {
            let filter = try Filter(otherwise: action)
            try rules(filter)
            return try filter.program()
        } catch {
            throw SandboxError(
                step: "seccomp", errno: error.errno, message: "\(error.message): \(SystemError.reason(error.errno))",
                remedy: "install libseccomp 2.5 or later")
        }
    }

    /// Names of the calls whose refusal is counted under these rules, by number; none for rules that are refused anyway.
    public static func counted(_ rules: SeccompRules) -> [Int: String] { (try? SeccompProfile(rules))?.counted ?? [:] }

    var counted: [Int: String] {
        let names = SystemCalls.never + ArgumentRules.counted + refusedByPolicy
        return Dictionary(
            names.compactMap { name in Filter.number(of: name).map { (Int($0), name) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// For a person to read.
    static func explanation(_ rules: SeccompRules) -> String {
        guard let profile = try? SeccompProfile(rules) else { return "" }
        let counted = SystemCalls.never + profile.refusedByPolicy
        let list = { (names: [String]) in names.sorted().joined(separator: " ") }
        return """
            system calls allowed (\(profile.allowed.count)): \(list(profile.allowed))
            system calls refused with EPERM and counted (\(counted.count)): \(list(counted))
            system calls refused with EPERM (\(profile.refused.count)): \(list(profile.refused))
            arguments refused: \(ArgumentRules.explanation)
            everything else: ENOSYS; 32-bit and x32 calls: the process is killed

            """
    }

    private static func refusal(_ problem: String, _ remedy: String) -> SandboxError {
        SandboxError(step: "seccomp", errno: 0, message: problem, remedy: remedy)
    }
}
