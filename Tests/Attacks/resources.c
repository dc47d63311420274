#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

enum { many_processes = 6000, many_files = 200000, mebibyte = 1 << 20, gibibyte = 1 << 30 };

static enum verdict bounded(const char *what, long count, long most) {
    say("%ld %s", count, what);
    return count < most ? HELD : BREACH;
}

static enum verdict fork_bomb(void) {
    long count = 0;
    while (count < many_processes) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child < 0) break;
        count++;
    }
    return bounded("processes", count, many_processes);
}

static enum verdict descriptor_flood(void) {
    long count = 0;
    while (count < many_files && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) count++;
    return bounded("descriptors", count, many_files);
}

/// Fills a directory's filesystem until it is full.
static enum verdict fill(const char *directory, long long most) {
    char path[128];
    snprintf(path, sizeof path, "%s/fill", directory);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return unreachable(file);
    long long size = 0;
    while (size < most && fallocate(file, 0, size, 16 * mebibyte) == 0) size += 16 * mebibyte;
    close(file);
    unlink(path);
    say("%lld MiB", size / mebibyte);
    return size < most ? HELD : BREACH;
}
static enum verdict fill_tmp(void) { return fill("/tmp", 1LL * gibibyte); }
static enum verdict fill_shm(void) { return fill("/dev/shm", 1LL * gibibyte); }
static enum verdict fill_run(void) { return fill("/run/user/1000", 1LL * gibibyte); }

static enum verdict many_inodes(void) {
    long count = 0;
    char path[64];
    for (; count < 400000; count++) {
        snprintf(path, sizeof path, "/tmp/i%ld", count);
        int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) break;
        close(file);
    }
    for (long made = 0; made < count; made++) {
        snprintf(path, sizeof path, "/tmp/i%ld", made);
        unlink(path);
    }
    return bounded("files in /tmp", count, 400000);
}

static enum verdict many_terminals(void) {
    long count = 0;
    while (count < 256 && open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) >= 0) count++;
    return bounded("terminals", count, 256);
}

static enum verdict queues(void) {
    long count = 0;
    for (; count < 400; count++) {
        struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = 8192};
        char name[32];
        snprintf(name, sizeof name, "q%ld", count);
        if (syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, &attributes) < 0) break;
    }
    for (long made = 0; made < count; made++) {
        char name[32];
        snprintf(name, sizeof name, "q%ld", made);
        syscall(SYS_mq_unlink, name);
    }
    return bounded("queues of 80 KiB", count, 256);
}

/// Mebibytes that a glutton has had, seen by whoever waits for it.
static volatile long *had;

/// Runs a glutton; HELD when it is refused or killed before the end, or gets no further: memory.high slows it to that.
static enum verdict glutton(void (*eat)(void)) {
    if (strcmp(targets.bounded, "yes") != 0) return ABSENT;
    had = mmap(NULL, sizeof *had, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (had == MAP_FAILED) return ABSENT;
    pid_t child = fork();
    if (child == 0) {
        eat();
        _exit(0);
    }
    int status = 0;
    long last = 0;
    time_t progress = time(NULL);
    while (waitpid(child, &status, WNOHANG) == 0) {
        usleep(100 * 1000);
        if (*had != last) progress = time(NULL);
        last = *had;
        if (time(NULL) < progress + 15) continue;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        say("no further than %ld MiB", last);
        return HELD;
    }
    say("%s", WIFSIGNALED(status) ? "killed" : WEXITSTATUS(status) == 0 ? "got 3 GiB" : "refused");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? BREACH : HELD;
}

/// Writes to every page of so many mebibytes.
static void touch(char *block, long mebibytes) {
    for (long each = 0; each < mebibytes; each++, ++*had) {
        for (size_t at = 0; at < mebibyte; at += 4096) block[(size_t)each * mebibyte + at] = 1;
    }
}

static void eat_memory(void) {
    for (int index = 0; index < 3 * 64; index++) {
        char *block = mmap(NULL, 16 * mebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) _exit(1);
        touch(block, 16);
    }
}
static void eat_memory_files(void) {
    int file = memfd_create("x", MFD_CLOEXEC);
    for (long index = 0; index < 3 * 64; index++) {
        if (fallocate(file, 0, index * 16 * mebibyte, 16 * mebibyte) != 0) _exit(1);
        // Mapped, so that the kernel sees whose it is and does not kill somebody else of the session.
        int flags = MAP_SHARED | MAP_POPULATE;
        if (mmap(NULL, 16 * mebibyte, PROT_READ, flags, file, index * 16 * mebibyte) == MAP_FAILED) _exit(1);
        *had += 16;
    }
}
static void eat_segments(void) {
    for (int index = 0; index < 3 * 8; index++) {
        int segment = shmget(IPC_PRIVATE, 128 * mebibyte, 0600 | IPC_CREAT);
        if (segment < 0) _exit(1);
        char *block = shmat(segment, NULL, 0);
        shmctl(segment, IPC_RMID, NULL);
        if (block == (char *)-1) _exit(1);
        touch(block, 128);
    }
}
static enum verdict memory(void) { return glutton(eat_memory); }
static enum verdict memory_files(void) { return glutton(eat_memory_files); }
static enum verdict memory_segments(void) { return glutton(eat_segments); }

static enum verdict raise_limit(int resource) {
    struct rlimit limit;
    getrlimit((__rlimit_resource_t)resource, &limit);
    if (limit.rlim_max == RLIM_INFINITY) {
        say("unlimited already");
        return BREACH;
    }
    limit.rlim_max++;
    return refused(setrlimit((__rlimit_resource_t)resource, &limit));
}
static enum verdict raise_files(void) { return raise_limit(RLIMIT_NOFILE); }
static enum verdict raise_processes(void) { return raise_limit(RLIMIT_NPROC); }
static enum verdict raise_core(void) { return raise_limit(RLIMIT_CORE); }
static enum verdict raise_locked(void) { return raise_limit(RLIMIT_MEMLOCK); }
static enum verdict raise_signals(void) { return raise_limit(RLIMIT_SIGPENDING); }
static enum verdict raise_queues(void) { return raise_limit(RLIMIT_MSGQUEUE); }
static enum verdict raise_file_size(void) { return raise_limit(RLIMIT_FSIZE); }

static enum verdict negative_nice(void) { return refused(setpriority(PRIO_PROCESS, 0, -20)); }

static enum verdict scheduled(int policy) {
    struct sched_param parameter = {.sched_priority = 1};
    return refused(sched_setscheduler(0, policy, &parameter));
}
static enum verdict fifo(void) { return scheduled(SCHED_FIFO); }
static enum verdict round_robin(void) { return scheduled(SCHED_RR); }
static enum verdict fifo_after_fork(void) { return scheduled(SCHED_FIFO | 0x40000000); }

static enum verdict deadline(void) {
    struct {
        unsigned size, policy;
        unsigned long long flags;
        int nice;
        unsigned priority;
        unsigned long long runtime, end, period;
    } attributes = {.size = 48, .policy = 6, .runtime = 1000000, .end = 10000000, .period = 10000000};
    return refused(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

static enum verdict io_priority(void) {
    return refused(syscall(SYS_ioprio_set, 1, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0)));
}

static enum verdict lock_memory(void) {
    char *block = mmap(NULL, 64 * mebibyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return HELD;
    int result = mlock(block, 64 * mebibyte);
    if (result < 0 && (errno == ENOMEM || errno == EAGAIN)) errno = EPERM;
    return refused(result);
}

static enum verdict watches(void) {
    long count = 0;
    while (count < 2000 && inotify_init1(IN_CLOEXEC) >= 0) count++;
    return bounded("inotify instances", count, 2000);
}

static enum verdict pipe_size(void) {
    int ends[2];
    if (pipe(ends) != 0) return ABSENT;
    return refused(fcntl(ends[0], F_SETPIPE_SZ, 64 * mebibyte));
}

static enum verdict timers(void) {
    long count = 0;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    for (; count < 20000; count++) {
        timer_t timer;
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) break;
    }
    return bounded("timers", count, 20000);
}

static enum verdict pending_signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    long count = 0;
    union sigval value = {0};
    while (count < 20000 && sigqueue(getpid(), SIGRTMIN, value) == 0) count++;
    return bounded("signals", count, 20000);
}

static enum verdict huge_pages(void) {
    void *block = mmap(NULL, 2 * mebibyte, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (block == MAP_FAILED && errno == ENOMEM) errno = EPERM;
    return refused(block == MAP_FAILED ? -1 : 0);
}

static const struct probe probes[] = {
    {"fork bomb", "bounded", fork_bomb},
    {"descriptors", "bounded", descriptor_flood},
    {"fill /tmp", "bounded", fill_tmp},
    {"fill /dev/shm", "bounded", fill_shm},
    {"fill /run/user", "bounded", fill_run},
    {"files in /tmp", "bounded", many_inodes},
    {"pseudo-terminals", "bounded", many_terminals},
    {"message queues", "bounded", queues},
    {"memory", "bounded", memory},
    {"memory of memfds", "bounded", memory_files},
    {"memory of System V segments", "bounded", memory_segments},
    {"raise the limit of open files", "refused", raise_files},
    {"raise the limit of processes", "refused", raise_processes},
    {"raise the limit of core dumps", "refused", raise_core},
    {"raise the limit of locked memory", "refused", raise_locked},
    {"raise the limit of pending signals", "refused", raise_signals},
    {"raise the limit of message queues", "refused", raise_queues},
    {"raise the limit of file sizes", "refused", raise_file_size},
    {"nice -20", "refused", negative_nice},
    {"real-time scheduling, FIFO", "refused", fifo},
    {"real-time scheduling, round robin", "refused", round_robin},
    {"real-time scheduling with a flag", "refused", fifo_after_fork},
    {"deadline scheduling", "refused", deadline},
    {"real-time disk priority", "refused", io_priority},
    {"lock 64 MiB of memory", "refused", lock_memory},
    {"inotify instances", "bounded", watches},
    {"pipe of 64 MiB", "refused", pipe_size},
    {"timers", "bounded", timers},
    {"pending signals", "bounded", pending_signals},
    {"huge pages", "refused", huge_pages},
};

const struct family resources = {"resources", probes, COUNT(probes), NULL, 0};
