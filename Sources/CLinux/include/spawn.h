#ifndef ROOKERY_SPAWN_H
#define ROOKERY_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The namespaces a spawned program may be born into, by clone(2) flag.
enum {
    RK_NEW_TIME = 0x00000080,
    RK_NEW_MOUNT = 0x00020000,
    RK_NEW_CGROUP = 0x02000000,
    RK_NEW_UTS = 0x04000000,
    RK_NEW_IPC = 0x08000000,
    RK_NEW_USER = 0x10000000,
    RK_NEW_PID = 0x20000000,
    RK_NEW_NET = 0x40000000,
};

/// Where a spawn failed: the `stage` of `struct rk_spawn_failure`.
enum rk_spawn_stage {
    RK_STAGE_NONE = 0,
    RK_STAGE_PREPARE,      ///< The caller's stack, or an argument out of bounds.
    RK_STAGE_CLONE,        ///< clone3(2)
    RK_STAGE_SIGNALS,      ///< Dispositions and mask.
    RK_STAGE_CGROUP,       ///< Entering the cgroups v1.
    RK_STAGE_DESCRIPTORS,  ///< Placing the passed descriptors, closing the others.
    RK_STAGE_SESSION,      ///< setsid(2)
    RK_STAGE_DIRECTORY,    ///< fchdir(2)
    RK_STAGE_GROUPS,       ///< setgroups(2)
    RK_STAGE_GID,          ///< setresgid(2)
    RK_STAGE_UID,          ///< setresuid(2)
    RK_STAGE_CAPABILITIES, ///< Giving them up, or keeping those of a new user namespace over exec.
    RK_STAGE_EXEC,         ///< execveat(2)
};

/// The most descriptors that one spawn passes on.
#define RK_SPAWN_DESCRIPTORS 32

/// A program to start. Nothing is inherited but what is named here.
struct rk_spawn {
    /// The executable, opened with O_PATH or O_RDONLY and O_CLOEXEC: executed by descriptor (execveat(2) with
    /// AT_EMPTY_PATH), since it may lie below a directory that the target uid may not enter. Not a `#!` script.
    int program;
    /// NULL-terminated.
    char *const *argv;
    /// NULL-terminated; the whole environment.
    char *const *envp;
    /// Become descriptors 0, 1 and 2.
    int standard[3];
    /// Become descriptors 3, 4, 5, ... in this order.
    const int *descriptors;
    size_t descriptor_count;
    /// `RK_NEW_*` flags, 0 for none. With RK_NEW_USER the program keeps the capabilities it has in the new user
    /// namespace over exec (as ambient ones), since its ids are not mapped yet.
    uint64_t namespaces;
    /// Directory descriptor of a cgroup v2 to be born in, or -1.
    int cgroup;
    /// `tasks` files of cgroups v1, opened for writing, that the new process enters before anything else. A process that
    /// moves itself does not wait for the kernel's grace period, as one that moves another does.
    const int *tasks;
    size_t task_count;
    /// Directory descriptor to start in, or -1 to keep the caller's.
    int directory;
    /// File mode creation mask, or -1 to keep the caller's.
    int umask;
    /// Start a session of its own (setsid).
    bool new_session;
    /// Drop all supplementary groups, then take `gid` and `uid` for good. Needs the capabilities for it.
    bool set_ids;
    uid_t uid;
    gid_t gid;
    /// Before the ids are taken, give up for good what uid 0 could mean again (rk_shed_privileges()). Not for a program
    /// that runs set-user-id ones.
    bool shed_privileges;
};

struct rk_spawn_failure {
    enum rk_spawn_stage stage;
    int error;
};

/// Starts `what` with one clone3(2) (CLONE_VM, CLONE_VFORK, CLONE_PIDFD, CLONE_CLEAR_SIGHAND): the cost does not depend
/// on the caller's size, the child runs only async-signal-safe code on a stack of its own, and every failure up to and
/// including exec comes back here. Returns the pid and a close-on-exec pidfd, or `-errno` with `failure` filled; then
/// no child is left. Signals of the calling thread are blocked meanwhile.
pid_t rk_spawn(const struct rk_spawn *what, int *pidfd, struct rk_spawn_failure *failure);

/// The stage's name for a person, such as "clone3".
const char *rk_spawn_stage_name(enum rk_spawn_stage stage);

#endif
