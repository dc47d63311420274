#ifndef ROOKERY_PEER_H
#define ROOKERY_PEER_H

#include <stddef.h>
#include <sys/types.h>

/// The credentials of the process at the other end of a connected Unix socket (SO_PEERCRED, unix(7)), as they
/// were at connect or listen. Returns 0 or -errno.
int rk_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

/// Has every message that is sent to this Unix socket from now on carry who sent it (SO_PASSCRED).
int rk_pass_credentials(int socket);

/// Who sent a message; the kernel vouches for it. All are -1 when it does not say.
struct rk_sender {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/// Receives one message without descriptors and who sent it: nobody at the end, when 0 is returned as for an empty
/// message. One that is longer than `capacity`, or has descriptors, is an error (-EMSGSIZE, -EMFILE) and leaves none open.
ssize_t rk_receive_from(int socket, void *bytes, size_t capacity, struct rk_sender *sender);

#endif
