#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static char buffer[4096];
static union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
static struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .exclude_kernel = 1};
static struct timespec now = {1, 0};
static struct timeval day = {1, 0};
static struct iovec vector = {buffer, sizeof buffer};

static const struct call calls[] = {
    {"bpf map", SYS_bpf, {BPF_MAP_CREATE, (long)&map, sizeof map}},
    {"bpf program", SYS_bpf, {BPF_PROG_LOAD, (long)&map, sizeof map}},
    {"bpf token", SYS_bpf, {36, (long)&map, sizeof map}},
    {"perf event", SYS_perf_event_open, {(long)&event, 0, -1, -1, 0}},
    {"perf event of a processor", SYS_perf_event_open, {(long)&event, -1, 0, -1, 0}},
    {"keyctl session keyring", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0}},
    {"keyctl user keyring", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0}},
    {"keyctl join", SYS_keyctl, {KEYCTL_JOIN_SESSION_KEYRING, 0}},
    {"keyctl session to parent", SYS_keyctl, {KEYCTL_SESSION_TO_PARENT}},
    {"keyctl persistent", SYS_keyctl, {KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING}},
    {"keyctl search in the launcher's keyring", SYS_keyctl,
     {KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, (long)"user", (long)"rookery-attack", 0}},
    {"add_key", SYS_add_key, {(long)"user", (long)"x", (long)"y", 1, KEY_SPEC_USER_KEYRING}},
    {"request_key", SYS_request_key, {(long)"user", (long)"rookery-attack", 0, 0}},
    {"userfaultfd", SYS_userfaultfd, {1}},
    {"io_uring_setup", SYS_io_uring_setup, {4, (long)buffer}},
    {"io_uring_enter", SYS_io_uring_enter, {-1, 0, 0, 0, 0, 0}},
    {"io_uring_register", SYS_io_uring_register, {-1, 0, 0, 0}},
    {"kexec_load", SYS_kexec_load, {0, 0, 0, 0}},
    {"kexec_file_load", SYS_kexec_file_load, {-1, -1, 0, 0, 0}},
    {"init_module", SYS_init_module, {(long)buffer, sizeof buffer, (long)""}},
    {"finit_module", SYS_finit_module, {-1, (long)"", 0}},
    {"delete_module", SYS_delete_module, {(long)"attack", 0}},
    {"reboot", SYS_reboot, {(long)0xfee1deadL, 672274793, 0 /* CAD off */, 0}},
    {"acct", SYS_acct, {(long)"/workspace/acct"}},
    {"syslog", SYS_syslog, {3, (long)buffer, sizeof buffer}},
    {"settimeofday", SYS_settimeofday, {(long)&day, 0}},
    {"clock_settime", SYS_clock_settime, {CLOCK_REALTIME, (long)&now}},
    {"adjtimex", SYS_adjtimex, {(long)buffer}},
    {"clock_adjtime", SYS_clock_adjtime, {CLOCK_REALTIME, (long)buffer}},
    {"sethostname", SYS_sethostname, {(long)"attacked", 8}},
    {"setdomainname", SYS_setdomainname, {(long)"attacked", 8}},
    {"lookup_dcookie", SYS_lookup_dcookie, {0, (long)buffer, sizeof buffer}},
    {"nfsservctl", 180, {0, 0, 0}},
    {"vmsplice", SYS_vmsplice, {1, (long)&vector, 0, 0}},
    {"memfd_secret", 447, {0}},
    {"vhangup", SYS_vhangup, {0}},
    {"set_mempolicy", SYS_set_mempolicy, {0, 0, 0}},
    {"mbind", SYS_mbind, {(long)buffer, 0, 0, 0, 0, 0}},
    {"lsm_set_self_attr", 460, {100, (long)buffer, 8, 0}},
    {"lsm_get_self_attr", 459, {100, (long)buffer, (long)buffer, 0}},
    {"modify_ldt", SYS_modify_ldt, {0, (long)buffer, sizeof buffer}},
    {"ioperm", SYS_ioperm, {0x80, 1, 1}},
    {"iopl", SYS_iopl, {3}},
    {"uselib", SYS_uselib, {(long)"/lib/x"}},
    {"personality: no address randomisation", SYS_personality, {ADDR_NO_RANDOMIZE}},
    {"personality: readable is executable", SYS_personality, {READ_IMPLIES_EXEC}},
    {"personality: mmap page zero", SYS_personality, {MMAP_PAGE_ZERO}},
    {"personality: high bits", SYS_personality, {0x100000000L | ADDR_NO_RANDOMIZE}},
    {"a call that does not exist", 1023, {0}},
    {"a call beyond all", 0x3fffffff, {0}},
};

/// The process must be killed, or the call refused.
static enum verdict old_call(long number) {
#if defined(__x86_64__)
    long result;
    // 32-bit system calls have numbers of their own: a filter for 64-bit ones would see the wrong names.
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory", "cc");
    errno = (int)-result;
    return refused(result < 0 && result > -4096 ? -1 : result);
#else
    (void)number;
    return ABSENT;
#endif
}
static enum verdict int80_getpid(void) { return old_call(20); }
static enum verdict int80_mount(void) { return old_call(21); }
static enum verdict int80_unshare(void) { return old_call(310); }
static enum verdict int80_socketcall(void) { return old_call(102); }

static enum verdict x32(long number) {
#if defined(__x86_64__)
    return refused(syscall(0x40000000L + number, 0, 0, 0, 0, 0, 0));
#else
    (void)number;
    return ABSENT;
#endif
}
static enum verdict x32_getpid(void) { return x32(39); }
static enum verdict x32_ptrace(void) { return x32(521); }
static enum verdict x32_mount(void) { return x32(165); }

static enum verdict page_zero(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return refused(page == MAP_FAILED ? -1 : 0);
}

static enum verdict new_privileges(void) {
    int result = prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if (result < 0 && errno == EINVAL) errno = EPERM;
    return refused(result);
}

static enum verdict filter_off(void) {
    int result = prctl(PR_SET_SECCOMP, 0, 0, 0, 0);
    if (result < 0 && (errno == EINVAL || errno == EFAULT)) errno = EPERM;
    return refused(result);
}

static enum verdict set_mm(void) {
    return refused(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0));
}

static enum verdict segment_of_host(void) {
    if (targets.segment[0] == '\0') return ABSENT;
    return unreachable(shmget((key_t)strtol(targets.segment, NULL, 10), 0, 0));
}

static enum verdict queue_of_host(void) {
    if (targets.queue[0] == '\0') return ABSENT;
    // mq_open(3) leaves out the slash.
    return unreachable(syscall(SYS_mq_open, targets.queue + 1, O_RDWR, 0, NULL));
}

static enum verdict process_filter(void) {
    char text[4096];
    if (read_text("/proc/self/status", text, sizeof text) < 0) return ABSENT;
    bool filtered = strstr(text, "Seccomp:\t2") != NULL;
    say("%s", filtered ? "mode 2" : "no filter");
    return filtered ? HELD : BREACH;
}

static const struct probe probes[] = {
    {"a system call filter is on", "mode 2", process_filter},
    {"32-bit getpid (int 0x80)", "killed", int80_getpid},
    {"32-bit mount", "killed", int80_mount},
    {"32-bit unshare", "killed", int80_unshare},
    {"32-bit socketcall", "killed", int80_socketcall},
    {"x32 getpid", "killed", x32_getpid},
    {"x32 ptrace", "killed", x32_ptrace},
    {"x32 mount", "killed", x32_mount},
    {"map page zero", "refused", page_zero},
    {"allow new privileges again", "refused", new_privileges},
    {"take the filter off", "refused", filter_off},
    {"change /proc/self/exe", "refused", set_mm},
    {"System V memory of the host", "not there", segment_of_host},
    {"message queue of the host", "not there", queue_of_host},
};

const struct family kernel = {"kernel", probes, COUNT(probes), calls, COUNT(calls)};
