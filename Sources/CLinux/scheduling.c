#include "scheduling.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// Debian 12's headers have no struct sched_attr; this is its first version, which every kernel takes.
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

// The limit of RLIMIT_NICE is 20 less the lowest nice value that may be taken.
enum { slice_nanoseconds = 100 * 1000, nicer = -5, nicest = 19, limit_of_nicer = 20 - nicer };

int rk_prefer_latency(pid_t pid) {
    struct attributes attributes = {.size = sizeof attributes, .nice = nicer, .runtime = slice_nanoseconds};
    if (syscall(SYS_sched_setattr, pid, &attributes, 0) == 0) return 0;
    if (errno != EPERM) return -errno;
    attributes.nice = 0;
    return syscall(SYS_sched_setattr, pid, &attributes, 0) == 0 ? 0 : -errno;
}

int rk_let_give_way(pid_t pid) {
    struct rlimit limit = {.rlim_cur = limit_of_nicer, .rlim_max = limit_of_nicer};
    return prlimit(pid, RLIMIT_NICE, &limit, NULL) == 0 ? 0 : -errno;
}

// Whoever may not come back had better stay.
static int may_come_back(void) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur >= limit_of_nicer;
}

int rk_give_way(int group, int gives_way) {
    const char *value = gives_way ? "19" : "0";
    if (group >= 0 && write(group, value, strlen(value)) < 0) return -errno;
    if (!may_come_back()) return 0;
    return setpriority(PRIO_PROCESS, 0, gives_way ? nicest : nicer) == 0 ? 0 : -errno;
}
