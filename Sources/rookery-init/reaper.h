#ifndef ROOKERY_REAPER_H
#define ROOKERY_REAPER_H

#include <sys/types.h>

/// PID 1's life: reaps, passes on the signals that come over the leash, and ends with the command or the leash, which
/// ends everything inside. `events` is a signalfd for SIGCHLD, `master` the command's terminal or -1.
__attribute__((noreturn)) void reap(pid_t command, int events, int master);

#endif
