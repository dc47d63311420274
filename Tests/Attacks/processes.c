#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probe.h"

static char buffer[4096];
static struct iovec here = {buffer, sizeof buffer}, there = {(void *)0x400000, 64};

static enum verdict pid_of_host(int *pid) {
    if (targets.process[0] == '\0') return ABSENT;
    *pid = atoi(targets.process);
    return HELD;
}

static enum verdict signal_host_process(void) {
    int pid;
    if (pid_of_host(&pid) == ABSENT) return ABSENT;
    return unreachable(kill(pid, 0));
}

static enum verdict host_process_directory(void) {
    char path[64];
    if (targets.process[0] == '\0') return ABSENT;
    snprintf(path, sizeof path, "/proc/%s/status", targets.process);
    return try_open(path, O_RDONLY);
}

static enum verdict host_process_descriptor(void) {
    int pid;
    if (pid_of_host(&pid) == ABSENT) return ABSENT;
    return unreachable(syscall(SYS_pidfd_open, pid, 0));
}

static enum verdict kill_init(void) {
    // Whether the call is refused or ignored: pid 1 must be there afterwards.
    int result = kill(1, SIGKILL);
    usleep(100 * 1000);
    if (kill(1, 0) != 0 && errno == ESRCH) return BREACH;
    say("%s", result == 0 ? "ignored" : "refused");
    return HELD;
}

static enum verdict terminate_init(void) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGSEGV, SIGSTOP, SIGSYS};
    for (size_t index = 0; index < COUNT(numbers); index++) kill(1, numbers[index]);
    usleep(100 * 1000);
    if (kill(1, 0) != 0 && errno == ESRCH) return BREACH;
    say("it lives");
    return HELD;
}

static enum verdict foreign_processes(void) {
    DIR *directory = opendir("/proc");
    if (directory == NULL) return ABSENT;
    struct dirent *entry;
    enum verdict verdict = HELD;
    int count = 0;
    while ((entry = readdir(directory)) != NULL) {
        int pid = atoi(entry->d_name);
        if (pid <= 0) continue;
        count++;
        struct stat status;
        if (fstatat(dirfd(directory), entry->d_name, &status, 0) == 0 && pid == 1) {
            say("pid 1 is shown");
            verdict = BREACH;
        }
    }
    closedir(directory);
    if (verdict == HELD) say("%d own ones shown", count);
    return verdict;
}

static enum verdict secret_in(const char *path) {
    char text[65536];
    if (targets.secret[0] == '\0') return ABSENT;
    long count = read_text(path, text, sizeof text);
    if (count < 0) return unreachable(-1);
    for (long at = 0; at + (long)strlen(targets.secret) <= count; at++) {
        if (memcmp(text + at, targets.secret, strlen(targets.secret)) != 0) continue;
        say("it is in %s", path);
        return BREACH;
    }
    say("%ld bytes, not in them", count);
    return HELD;
}

static enum verdict init_environment(void) { return secret_in("/proc/1/environ"); }
static enum verdict init_arguments(void) { return try_open("/proc/1/cmdline", O_RDONLY); }

static enum verdict own_environment(void) { return secret_in("/proc/self/environ"); }

static enum verdict all_environments(void) {
    for (int pid = 1; pid < 2000; pid++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/environ", pid);
        if (secret_in(path) == BREACH) return BREACH;
    }
    say("in none");
    return HELD;
}

static enum verdict of_init(const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/proc/1/%s", name);
    char text[512];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    ssize_t count = read(file, text, sizeof text);
    int error = errno;
    close(file);
    if (count == 0) errno = error = EPERM;  // opened, but nothing is told
    errno = error;
    return unreachable(count > 0 ? count : -1);
}
static enum verdict init_memory(void) { return try_open("/proc/1/mem", O_RDWR); }
static enum verdict init_maps(void) { return of_init("maps"); }
static enum verdict init_stack(void) { return of_init("stack"); }
static enum verdict init_syscall(void) { return of_init("syscall"); }
static enum verdict init_auxv(void) { return of_init("auxv"); }
static enum verdict init_io(void) { return of_init("io"); }
static enum verdict init_mounts(void) { return of_init("mountinfo"); }
static enum verdict init_status(void) { return of_init("status"); }
static enum verdict init_descriptors(void) { return try_open("/proc/1/fd", O_RDONLY | O_DIRECTORY); }
static enum verdict init_map_files(void) { return try_open("/proc/1/map_files", O_RDONLY | O_DIRECTORY); }
static enum verdict init_score(void) { return try_open("/proc/1/oom_score_adj", O_WRONLY); }
static enum verdict init_comm(void) { return try_open("/proc/1/comm", O_WRONLY); }
static enum verdict init_namespaces(void) { return try_open("/proc/1/ns/mnt", O_RDONLY); }

static enum verdict take_descriptor(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return unreachable(pidfd);
    for (int number = 0; number < 16; number++) {
        int taken = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
        if (taken >= 0) return refused(taken);
    }
    long result = syscall(SYS_pidfd_getfd, pidfd, 0, 0);
    return refused(result);
}

static enum verdict release_memory(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return unreachable(pidfd);
    long result = syscall(SYS_process_mrelease, pidfd, 0);
    if (result < 0 && errno == EINVAL) errno = EPERM;  // it is not being killed
    return refused(result);
}

static enum verdict advise_init(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return unreachable(pidfd);
    return refused(syscall(SYS_process_madvise, pidfd, &there, 1, 4, 0));
}

static enum verdict limit_init(void) {
    struct rlimit limit = {10, 10};
    return refused(syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &limit, NULL));
}

static enum verdict core_size(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    say("hard limit %lu", (unsigned long)limit.rlim_max);
    return limit.rlim_max == 0 ? HELD : BREACH;
}

static enum verdict trace_child(void) {
    // Even of one's own: ptrace is a way around filters and a large surface.
    return refused(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));
}

static const struct call calls[] = {
    {"ptrace attach to pid 1", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}},
    {"ptrace seize pid 1", SYS_ptrace, {PTRACE_SEIZE, 1, 0, 0}},
    {"process_vm_readv of pid 1", SYS_process_vm_readv, {1, (long)&here, 1, (long)&there, 1, 0}},
    {"process_vm_writev of pid 1", SYS_process_vm_writev, {1, (long)&here, 1, (long)&there, 1, 0}},
    {"kcmp with pid 1", SYS_kcmp, {1, 1, 0, 0, 0}},
    {"move_pages of pid 1", SYS_move_pages, {1, 0, 0, 0, 0, 0}},
    {"migrate_pages of pid 1", SYS_migrate_pages, {1, 0, 0, 0}},
    {"get_robust_list of pid 1", SYS_get_robust_list, {1, (long)buffer, (long)(buffer + 8)}},
    {"read pid 1's limits", SYS_prlimit64, {1, RLIMIT_NOFILE, 0, (long)buffer}},
};

static const struct probe probes[] = {
    {"signal a process of the host", "not there", signal_host_process},
    {"/proc of a process of the host", "not there", host_process_directory},
    {"pidfd of a process of the host", "not there", host_process_descriptor},
    {"SIGKILL to pid 1", "no effect", kill_init},
    {"other signals to pid 1", "no effect", terminate_init},
    {"processes of others in /proc", "hidden", foreign_processes},
    {"the launcher's secret in pid 1's environment", "refused", init_environment},
    {"pid 1's arguments", "refused", init_arguments},
    {"the launcher's secret in the own environment", "not in it", own_environment},
    {"the launcher's secret in any environment", "not in it", all_environments},
    {"pid 1's memory", "refused", init_memory},
    {"pid 1's maps", "refused", init_maps},
    {"pid 1's stack", "refused", init_stack},
    {"pid 1's system call", "refused", init_syscall},
    {"pid 1's auxv", "refused", init_auxv},
    {"pid 1's io", "refused", init_io},
    {"pid 1's mounts", "refused", init_mounts},
    {"pid 1's status", "refused", init_status},
    {"pid 1's descriptors", "refused", init_descriptors},
    {"pid 1's mapped files", "refused", init_map_files},
    {"pid 1's oom_score_adj", "refused", init_score},
    {"pid 1's name", "refused", init_comm},
    {"pid 1's namespaces", "refused", init_namespaces},
    {"take pid 1's descriptors (pidfd_getfd)", "refused", take_descriptor},
    {"process_mrelease of pid 1", "refused", release_memory},
    {"process_madvise of pid 1", "refused", advise_init},
    {"set pid 1's limits", "refused", limit_init},
    {"core dumps", "off", core_size},
    {"ptrace among own processes", "refused", trace_child},
};

const struct family processes = {"processes", probes, COUNT(probes), calls, COUNT(calls)};
