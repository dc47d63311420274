/// Which system calls a policy may add to a profile or take out of it.
public enum SystemCallRules {
    /// In one list.
    public static let most = 256

    /// Calls that lead out of a sandbox, into another, or into the kernel's own doings (sandbox contract, section 4). No
    /// policy can allow one.
    public static let never: Set<String> = [
        // Mounts and roots.
        "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
        "open_tree", "open_tree_attr", "mount_setattr", "statmount", "listmount", "listns", "swapon", "swapoff",
        "quotactl", "quotactl_fd", "acct",
        // Namespaces and processes of others.
        "setns", "unshare", "clone3", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp",
        "pidfd_getfd", "perf_event_open", "lookup_dcookie",
        // The kernel itself.
        "bpf", "init_module", "finit_module", "delete_module", "create_module", "query_module", "get_kernel_syms",
        "kexec_load", "kexec_file_load", "reboot", "syslog", "nfsservctl", "_sysctl", "uselib", "vm86", "vm86old",
        "modify_ldt", "iopl", "ioperm", "vhangup",
        // Keys, memory tricks, files past their paths.
        "keyctl", "add_key", "request_key", "userfaultfd", "memfd_secret", "vmsplice", "open_by_handle_at",
        "name_to_handle_at", "fanotify_init", "fanotify_mark", "io_uring_setup", "io_uring_enter", "io_uring_register",
        "migrate_pages", "move_pages",
        // The host's name and clock.
        "sethostname", "setdomainname", "settimeofday", "stime", "clock_settime", "clock_settime64", "clock_adjtime",
        "clock_adjtime64", "adjtimex",
    ]

    /// Filtered by their arguments: a plain allowance would lift that.
    public static let filtered: Set<String> = [
        "clone", "ioctl", "personality", "prctl", "sched_setattr", "sched_setscheduler", "seccomp", "socket",
    ]

    /// Without one of these no program starts or ends.
    public static let essential: Set<String> = [
        "brk", "clone", "close", "execve", "exit", "exit_group", "fstat", "futex", "mmap", "mprotect", "munmap",
        "newfstatat", "openat", "read", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "wait4", "write",
    ]

    /// Whether a text may be a call's name. Whether there is such a call, libseccomp knows.
    static func isName(_ text: String) -> Bool {
        (1...48).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "_")
            }
    }

    static func problem(ofAllowed call: String) -> RuleProblem? {
        guard isName(call) else { return notAName }
        guard !never.contains(call) else {
            return RuleProblem("leads out of the sandbox", "remove it: no policy can allow it")
        }
        guard !filtered.contains(call) else {
            return RuleProblem("is allowed with harmless arguments only, by every profile", "remove it")
        }
        return nil
    }

    static func problem(ofRefused call: String) -> RuleProblem? {
        guard isName(call) else { return notAName }
        guard !essential.contains(call) else {
            return RuleProblem("is needed by every program", "remove it: nothing would start")
        }
        return nil
    }

    private static let notAName = RuleProblem("is not a system call's name", "write it as in its manual page: 'ptrace'")
}
