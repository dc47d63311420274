#ifndef ROOKERY_CONFINE_H
#define ROOKERY_CONFINE_H

#include <stdint.h>

// What a process gives up for itself. All of it belongs to a thread and is inherited by the threads it starts: call
// these before there is a second one. Every function returns >= 0 on success and -errno on failure.

/// Makes uid 0 mean nothing at exec from now on (locked securebits) and empties the bounding and the ambient set. Needs
/// CAP_SETPCAP, so it comes before rk_become(). Async-signal-safe.
int rk_shed_privileges(void);

/// Sets no_new_privs, takes the process out of reach of others' ptrace(2) and of core dumps (PR_SET_DUMPABLE 0), empties
/// every capability set that can be emptied without a capability, and looks: -ENOTRECOVERABLE when one is left.
int rk_seal_process(void);

// Landlock(7). Rights are the kernel's LANDLOCK_ACCESS_* bits; a kernel takes those of its own version only.

/// The version of Landlock here, or -ENOSYS or -EOPNOTSUPP where there is none.
int rk_landlock_abi(void);

/// A set of rules that refuses all of these rights but what is added, and, in `scoped`, reaching out of the process by
/// abstract sockets (1) and signals (2). Returns its descriptor, which closes on exec.
int rk_landlock_ruleset(uint64_t files, uint64_t ports, uint64_t scoped);

/// Allows rights on a file, or on a directory and all below it. `path` is any descriptor of it.
int rk_landlock_allow_path(int ruleset, int path, uint64_t files);

/// Allows rights on a TCP port; 0 is the choice of one by the kernel.
int rk_landlock_allow_port(int ruleset, uint16_t port, uint64_t ports);

/// Holds the calling thread to the rules for good. Needs no_new_privs.
int rk_landlock_restrict(int ruleset);

#endif
