#ifndef ROOKERY_SCHEDULING_H
#define ROOKERY_SCHEDULING_H

#include <sys/types.h>

/// Has the scheduler run a process soon after it wakes, and before sessions (sched_setattr(2)): nice -5 where the caller
/// may, and a slice of a tenth of a millisecond where the kernel knows slices (6.12). Its threads and children inherit
/// both. 0 is the caller's own thread. Returns 0 or -errno.
int rk_prefer_latency(pid_t pid);

#endif
