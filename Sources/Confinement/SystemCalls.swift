import Seccomp

/// What a program of ours may call once it is confined: what Swift, Foundation, NIO, SQLite and the C library use, with
/// a margin for their fall-backs. A name that this machine's libseccomp does not know is left out, and so refused.
enum SystemCalls {
    static let allowed = """
        accept accept4 access arch_prctl bind brk chdir chmod chown clock_getres clock_gettime clock_nanosleep close
        close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait
        epoll_pwait2 epoll_wait eventfd eventfd2 exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod
        fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat
        fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake getcwd getcpu getdents getdents64
        getegid geteuid getgid getgroups getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid
        getresuid getrlimit getrusage get_robust_list getsid getsockname getsockopt gettid gettimeofday getuid getxattr
        inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listen listxattr
        llistxattr lseek lstat madvise membarrier mincore mkdir mkdirat mlock mlock2 mmap mprotect mremap msync munlock
        munmap nanosleep newfstatat open openat openat2 pause pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
        pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom
        recvmmsg recvmsg rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask
        rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_yield select sendfile sendmmsg sendmsg
        sendto set_robust_list set_tid_address setsockopt setxattr shutdown sigaltstack signalfd signalfd4 splice stat
        statfs statx symlink symlinkat sync_file_range sysinfo time timerfd_create timerfd_gettime timerfd_settime times
        truncate umask uname unlink unlinkat utimensat wait4 waitid write writev
        """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// Refused with EPERM, so that a log shows a plain refusal. What stands in neither list is ENOSYS: libraries then
    /// fall back, as they do on an older kernel (io_uring, clone3, calls that are newer than this list).
    static let refused =
        DangerousCalls.all
            + """
            adjtimex execve execveat fork landlock_create_ruleset mbind memfd_create migrate_pages mknod mknodat
            move_pages personality pidfd_send_signal process_madvise rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity
            sched_setattr sched_setparam sched_setscheduler seccomp set_mempolicy setfsgid setfsuid setgid setgroups
            setpgid setregid setresgid setresuid setreuid setrlimit setsid setuid shmat shmget sync tkill uselib vfork
            """.split(whereSeparator: \.isWhitespace).map(String.init)

    /// The families of sockets: Unix, IPv4, IPv6.
    static let families: [UInt64] = [1, 2, 10]

    /// Terminal and descriptor requests, and the answers to a sandbox's refused calls; every other one is refused.
    static let ioctls: [UInt64] = [
        0x5401 /* TCGETS */, 0x5402, 0x5403, 0x5404 /* TCSETS, TCSETSW, TCSETSF */, 0x540B /* TCFLSH */,
        0x540F /* TIOCGPGRP */, 0x5411 /* TIOCOUTQ */, 0x5413 /* TIOCGWINSZ */, 0x5414 /* TIOCSWINSZ */,
        0x541B /* FIONREAD */, 0x5421 /* FIONBIO */, 0x5429 /* TIOCGSID */, 0x5441 /* TIOCGPTPEER */,
        0x5450 /* FIONCLEX */, 0x5451 /* FIOCLEX */, 0x8004_5430 /* TIOCGPTN */, 0x802C_542A /* TCGETS2 */,
        0xC050_2100, 0xC018_2101, /* SECCOMP_IOCTL_NOTIF_RECV and SEND */
    ]

    /// prctl(2): the names of threads and memory, and questions.
    static let prctls: [UInt64] = [
        3 /* PR_GET_DUMPABLE */, 15 /* PR_SET_NAME */, 16 /* PR_GET_NAME */, 21 /* PR_GET_SECCOMP */,
        23 /* PR_CAPBSET_READ */, 27 /* PR_GET_SECUREBITS */, 39 /* PR_GET_NO_NEW_PRIVS */,
        0x5356_4D41 /* PR_SET_VMA */,
    ]
}
