#ifndef ROOKERY_NOTIFICATIONS_H
#define ROOKERY_NOTIFICATIONS_H

#include <stdint.h>

// A seccomp filter's listener (seccomp_unotify(2)): calls that the filter left to be answered.

/// A call that waits for its answer.
struct rk_waiting_call {
    uint64_t id;
    /// The system call's number on the native architecture.
    int number;
    /// Its first two arguments, as the kernel will not look at them again.
    uint64_t arguments[2];
};

/// Waits for a call: 1 with `call` filled; 0 after `milliseconds` (-1: for ever), or when the caller went away meanwhile;
/// -ENOENT when no process is left under the filter; else -errno.
int rk_next_call(int listener, int milliseconds, struct rk_waiting_call *call);

/// Lets the call fail with `error`. There is no way here to let one pass. Returns 0 or -errno; -ENOENT: the caller is gone.
int rk_refuse_call(int listener, const struct rk_waiting_call *call, int error);

#endif
