#include "peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int rk_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -errno;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int rk_pass_credentials(int socket) {
    int on = 1;
    return setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ? -errno : 0;
}

ssize_t rk_receive_from(int socket, void *bytes, size_t capacity, struct rk_sender *sender) {
    // Room for the credentials alone: the kernel then closes descriptors itself.
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr alignment;
    } control;
    struct iovec content = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *sender = (struct rk_sender){-1, (uid_t)-1, (gid_t)-1};
    ssize_t received;
    do received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;
    struct cmsghdr *part = CMSG_FIRSTHDR(&message);
    if (part != NULL && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_CREDENTIALS) {
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
        *sender = (struct rk_sender){credentials.pid, credentials.uid, credentials.gid};
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) return -EMSGSIZE;
    if ((message.msg_flags & MSG_CTRUNC) != 0) return -EMFILE;
    return received;
}
