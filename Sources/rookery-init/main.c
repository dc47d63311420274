// rookery-init: born by clone3 into new namespaces, without mapped ids but with every capability in them. Carries out
// the launch plan, starts the session's command and stays as PID 1. Single-threaded and static: until the command
// starts, libc may be used freely.

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "command.h"
#include "plan.h"
#include "privileges.h"
#include "reaper.h"

static struct launch launch = {.master = -1, .slave = -1};

static void close_at_exec(void) {
    for (int descriptor = CONTROL; descriptor < FIRST_FREE; descriptor++) {
        if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) _exit(2);
    }
}

static int watch_children(void) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &children, NULL) != 0) fail("signals", "");
    int events = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    if (events < 0) fail("signalfd", "");
    return events;
}

/// Gives up all that only the start needed: PID 1 keeps a pipe each way, and the right to signal the command's uid.
static void settle(void) {
    close(launch.slave);
    // They are the command's alone: whoever waits for their end must not wait for PID 1.
    for (int descriptor = 0; launch.streams && descriptor < CONTROL; descriptor++) close(descriptor);
    close(PLAN);
    close(ARGUMENT_FILTER);
    close(NUMBER_FILTER);
    if (launch.capabilities != 0 && lock_securebits() != 0) fail("init securebits", "");
    if (keep_capabilities(launch.mapped_root ? 1ULL << CAP_KILL : 0) != 0) fail("init capabilities", "");
    if (install_filter(INIT_FILTER) != 0) fail("init seccomp", "");
    close(INIT_FILTER);
    close(VIOLATIONS);
    // The command's own copy remains until its exec: then the launcher sees the end of the connection.
    close(CONTROL);
}

int main(void) {
    // No plan comes to whoever calls this program by hand.
    if (getpid() != 1) return 2;
    close_at_exec();
    umask(0);
    launch.slot_count = await_maps(launch.slots, PLAN_SLOTS);
    // Only now is this process in its cgroup: the namespace's root is to be that one.
    if (unshare(CLONE_NEWCGROUP) != 0) fail("cgroup namespace", "");
    carry_out_plan(&launch);
    int events = watch_children();
    if (tell("ready", -1) != 0) _exit(1);
    // The command's process gets ready to the last step, and PID 1 gives up what it has, while the launcher starts the
    // worker.
    pid_t command = start_command(&launch);
    settle();
    reap(command, events, launch.master);
}
