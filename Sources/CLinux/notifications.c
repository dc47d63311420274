#include "notifications.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

int rk_next_call(int listener, int milliseconds, struct rk_waiting_call *call) {
    struct pollfd watched = {.fd = listener, .events = POLLIN};
    int ready = poll(&watched, 1, milliseconds);
    if (ready < 0) return errno == EINTR ? 0 : -errno;
    if (ready == 0) return 0;
    // Without POLLIN a receive would wait for a call that cannot come any more.
    if ((watched.revents & POLLIN) == 0) return -ENOENT;
    struct seccomp_notif notification;
    memset(&notification, 0, sizeof notification);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0)
        return errno == ENOENT || errno == EINTR ? 0 : -errno;
    call->id = notification.id;
    call->number = notification.data.nr;
    for (int index = 0; index < 2; index++) call->arguments[index] = notification.data.args[index];
    return 1;
}

int rk_refuse_call(int listener, const struct rk_waiting_call *call, int error) {
    struct seccomp_notif_resp answer = {.id = call->id, .error = -error};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 ? 0 : -errno;
}
