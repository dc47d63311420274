#ifndef ROOKERY_PEER_H
#define ROOKERY_PEER_H

#include <sys/types.h>

/// The credentials of the process at the other end of a connected Unix socket (SO_PEERCRED, unix(7)), as they
/// were at connect or listen. Returns 0 or -errno.
int rk_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

#endif
