/// System calls known to lead out of a sandbox, or to the parts of the kernel from which others have been left. No session
/// may make one, whatever its policy says, and no program of ours once it is confined.
public enum DangerousCalls {
    public static let all = """
        acct add_key bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark finit_module
        fsconfig fsmount fsopen fspick init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl listmount listns
        lookup_dcookie memfd_secret modify_ldt mount mount_setattr move_mount name_to_handle_at open_by_handle_at
        open_tree open_tree_attr perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace
        quotactl quotactl_fd reboot request_key setdomainname sethostname setns settimeofday statmount swapoff swapon
        syslog umount umount2 unshare userfaultfd vhangup vmsplice
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
