#include "scheduling.h"

#include <errno.h>
#include <stdint.h>
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

enum { slice_nanoseconds = 100 * 1000, nicer = -5 };

int rk_prefer_latency(pid_t pid) {
    struct attributes attributes = {.size = sizeof attributes, .nice = nicer, .runtime = slice_nanoseconds};
    if (syscall(SYS_sched_setattr, pid, &attributes, 0) == 0) return 0;
    if (errno != EPERM) return -errno;
    attributes.nice = 0;
    return syscall(SYS_sched_setattr, pid, &attributes, 0) == 0 ? 0 : -errno;
}
