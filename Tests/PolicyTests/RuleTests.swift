import Testing

@testable import Policy

@Suite struct RuleTests {
    @Test(
        "targets inside",
        arguments: [
            ("/data", true), ("/workspace/data", true), ("/home/agent/.cache", true), ("/tmp/x", true),
            ("/opt/a", true),
            ("/usr/share/x", true), ("/", false), ("/workspace", false), ("/home/agent", false), ("/home", false),
            ("/tmp", false), ("/usr", false), ("/usr/local/bin", false), ("/usr/local/bin/claude", false),
            ("/etc", false), ("/etc/claude-code", false), ("/etc/claude-code/x", false), ("/proc", false),
            ("/proc/self", false), ("/dev/x", false), ("/sys", false), ("/run", false), ("/run/rookery", false),
            ("/run/rookery/start", false), ("/bin", false), ("/lib64/x", false), ("data", false), ("", false),
            ("/data/", false), ("//data", false), ("/a/../b", false), ("/a/./b", false), ("/a\nb", false),
            ("/procfs", true), ("/workspaces", true),
        ])
    func targets(path: String, fine: Bool) {
        #expect((MountRules.problem(ofTarget: path) == nil) == fine, "\(path)")
    }

    @Test(
        "sources on the host",
        arguments: [
            ("/srv", true), ("/srv/data", true), ("/", false), ("/proc", false), ("/proc/1/root", false),
            ("/sys/fs/cgroup", false), ("/dev", false), ("/dev/shm", false), ("srv", false), ("/srv/..", false),
            ("/srv/", false), ("/devices", true), ("/" + String(repeating: "a", count: 4096), false),
        ])
    func sources(path: String, fine: Bool) {
        #expect((MountRules.problem(ofSource: path) == nil) == fine, "\(path)")
    }

    @Test(
        "devices",
        arguments: [
            ("/dev/kvm", true), ("/dev/dri/renderD128", true), ("/dev/nvidia0", true), ("/dev/mem", false),
            ("/dev/kmem", false), ("/dev/port", false), ("/dev/kmsg", false), ("/dev/sda", false),
            ("/dev/sda1", false), ("/dev/vda", false), ("/dev/nvme0n1", false), ("/dev/loop0", false),
            ("/dev/loop-control", false), ("/dev/dm-0", false), ("/dev/mapper/x", false), ("/dev/disk/by-id/x", false),
            ("/dev/tty", false), ("/dev/tty1", false), ("/dev/pts/0", false), ("/dev/ptmx", false),
            ("/dev/fuse", false), ("/dev/net/tun", false), ("/dev/vhost-net", false), ("/dev/vfio/1", false),
            ("/dev/input/event0", false), ("/dev/userfaultfd", false), ("/dev/kvm*", false), ("/dev/[k]vm", false),
            ("/dev/../etc", false), ("/dev", false), ("/dev/", false), ("/etc/passwd", false), ("kvm", false),
        ])
    func devices(path: String, fine: Bool) { #expect((DeviceRules.problem(of: path) == nil) == fine, "\(path)") }

    @Test(
        "the contract's calls are never allowed",
        arguments: [
            "mount", "umount2", "pivot_root", "setns", "unshare", "clone3", "chroot", "ptrace", "process_vm_readv",
            "keyctl", "add_key", "request_key", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup",
            "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "acct",
            "quotactl", "clock_settime", "settimeofday", "sethostname", "open_by_handle_at", "name_to_handle_at",
            "fanotify_init", "lookup_dcookie", "kcmp", "modify_ldt", "iopl", "ioperm", "vmsplice", "memfd_secret",
            "fsopen", "fsmount", "move_mount", "open_tree", "mount_setattr", "statmount", "listmount", "pidfd_getfd",
            "clone", "ioctl", "socket", "personality", "seccomp",
        ])
    func neverAllowed(call: String) { #expect(SystemCallRules.problem(ofAllowed: call) != nil) }

    @Test(
        "other calls can be allowed or refused",
        arguments: [("sysinfo", true, true), ("mount", false, true), ("read", true, false), ("Read", false, false)])
    func otherCalls(call: String, allowed: Bool, refused: Bool) {
        #expect((SystemCallRules.problem(ofAllowed: call) == nil) == allowed)
        #expect((SystemCallRules.problem(ofRefused: call) == nil) == refused)
    }

    @Test(
        "rules for tools",
        arguments: [
            ("Read", true), ("Bash(git log:*)", true), ("mcp__a__b-c", true), ("Read(./a(b).txt)", true), ("", false),
            ("Bash()", false), ("Bash(x", false), ("Bash(x) y", false), ("(x)", false), ("*", false), ("a b", false),
        ])
    func tools(text: String, fine: Bool) { #expect(ClaudeRules.isTool(text) == fine) }

    @Test(
        "the nearest word is a hint, a far one none",
        arguments: [
            ("memroy", "memory"), ("idle-timeout", "idle_timeout"), ("Limits", "limits"), ("lmits", "limits"),
            ("xyz", nil), ("l", nil), ("grace_time_of_all", nil),
        ] as [(String, String?)])
    func nearest(word: String, known: String?) {
        #expect(NearestWord.of(word, among: ["limits", "memory", "idle_timeout", "grace"]) == known)
    }
}
