import Seccomp

/// Which system calls a session's processes may make, by name: the usual container default, without what a tenant
/// never needs (sandbox contract, section 4). What stands in no list is ENOSYS: programs then fall back, as they do on
/// an older kernel (io_uring, clone3, new calls).
enum SystemCalls {
    static let allowed = names(
        """
        accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres
        clock_gettime clock_nanosleep clone close close_range connect copy_file_range creat dup dup2 dup3 epoll_create
        epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group
        faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync
        fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue
        futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64
        getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
        getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr
        inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents
        io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
        landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr
        lstat madvise map_shadow_stack membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2
        mlockall mmap mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal
        msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open openat openat2 pause
        pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64
        preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat
        readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename renameat renameat2 restart_syscall rmdir
        rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
        rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
        sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setparam sched_setscheduler sched_yield
        seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list set_thread_area
        set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid
        setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd
        signalfd4 socket socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee
        tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
        timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork
        wait4 waitid write writev
        """)

    /// Refused with EPERM, and counted. No policy can allow one of these.
    static let never = DangerousCalls.all

    /// Refused with EPERM and not counted: harmless programs ask for these. A policy can allow them.
    static let unneeded = names(
        """
        adjtimex get_kernel_syms get_mempolicy mbind migrate_pages move_pages nfsservctl process_madvise query_module
        sched_setattr set_mempolicy set_mempolicy_home_node uselib ustat
        """)

    /// Not there for a policy to allow: they hide their arguments from a filter, or do what `never` does.
    static let hidden = names("clone3 file_setattr io_uring_enter io_uring_register io_uring_setup")

    /// What the `strict` profile takes out: Claude Code, git, Python, Node and compilers do without.
    static let notInStrict = names(
        """
        io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit ioprio_get ioprio_set map_shadow_stack
        mlockall mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd
        munlockall process_mrelease remap_file_pages sched_setparam sched_setscheduler seccomp semctl semget semop
        semtimedop set_thread_area shmat shmctl shmdt shmget splice syncfs tee
        """)

    /// What rookery-init's reaper calls.
    static let ofInit = names(
        "close exit exit_group ioctl kill poll ppoll read restart_syscall rt_sigreturn wait4 waitid write")

    private static func names(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }
}
