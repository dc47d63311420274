#ifndef ROOKERY_SCHEDULING_H
#define ROOKERY_SCHEDULING_H

#include <sys/types.h>

/// Has the scheduler run a process soon after it wakes, and before sessions (sched_setattr(2)): nice -5 where the caller
/// may, and a slice of a tenth of a millisecond where the kernel knows slices (6.12). Its threads and children inherit
/// both. 0 is the caller's own thread. Returns 0 or -errno.
int rk_prefer_latency(pid_t pid);

/// Lets a process, which has no privileges, come back from `rk_give_way` to what `rk_prefer_latency` gave it (RLIMIT_NICE).
/// Returns 0 or -errno.
int rk_let_give_way(pid_t pid);

/// Has the caller's thread, and the group of its session of processes, wait for all others, or no more (sched(7), autogroup).
/// `group` is /proc/self/autogroup open for writing, or -1. Returns 0 or -errno: -EAGAIN when it may be asked again in a
/// tenth of a second.
int rk_give_way(int group, int gives_way);

#endif
