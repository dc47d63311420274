#ifndef ROOKERY_PRIVILEGES_H
#define ROOKERY_PRIVILEGES_H

#include <sys/types.h>

/// Gives up root in every thread of the process, for good: drops all supplementary groups, takes `gid` and `uid` as
/// real, effective and saved ids, and tries to come back. Returns 0, `-errno` of the call that failed, or -ENOTRECOVERABLE
/// when root could be had again; the process must then end.
int rk_become(uid_t uid, gid_t gid);

/// 1 when a program of root's gains privileges if this thread executes it (set-user-id or file capabilities, on a mount that
/// honours them, without no_new_privs), 0 when it does not, or -errno.
int rk_gains_privileges(const char *program);

#endif
