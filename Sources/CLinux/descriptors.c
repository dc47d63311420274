#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int outcome(long result) { return result < 0 ? -errno : (int)result; }

int rk_socket_pair(int type, int pair[2]) { return outcome(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair)); }

int rk_pipe(int pair[2]) { return outcome(pipe2(pair, O_CLOEXEC)); }

/// Room for one control message with the most descriptors, aligned for its header.
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * RK_MESSAGE_DESCRIPTORS)];
};

ssize_t rk_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    if (count == 0 || descriptor_count > RK_MESSAGE_DESCRIPTORS) return -EINVAL;
    union control control;
    struct iovec content = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    if (descriptor_count > 0) {
        size_t length = sizeof(int) * descriptor_count;
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(length);
        memcpy(CMSG_DATA(&control.header), descriptors, length);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(length);
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/// Takes the descriptors out of a message; those that do not fit are closed. Returns how many there were.
static size_t take_descriptors(struct msghdr *message, int *descriptors, size_t capacity) {
    size_t taken = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + index * sizeof(int), sizeof descriptor);
            if (taken < capacity) descriptors[taken] = descriptor;
            else close(descriptor);
            taken++;
        }
    }
    return taken;
}

ssize_t rk_receive_descriptors(
    int socket, void *bytes, size_t capacity, int *descriptors, size_t descriptor_capacity, size_t *descriptor_count,
    int flags) {
    union control control;
    struct iovec content = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *descriptor_count = 0;
    ssize_t received;
    do received = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -errno;

    size_t count = take_descriptors(&message, descriptors, descriptor_capacity);
    int error = 0;
    if ((message.msg_flags & MSG_TRUNC) != 0) error = EMSGSIZE;
    if ((message.msg_flags & MSG_CTRUNC) != 0 || count > descriptor_capacity) error = EMFILE;
    if (error != 0) {
        size_t kept = count < descriptor_capacity ? count : descriptor_capacity;
        for (size_t index = 0; index < kept; index++) close(descriptors[index]);
        return -error;
    }
    *descriptor_count = count;
    return received;
}

int rk_wait_readable(int descriptor, int milliseconds) {
    struct pollfd wanted = {.fd = descriptor, .events = POLLIN};
    int ready;
    do ready = poll(&wanted, 1, milliseconds);
    while (ready < 0 && errno == EINTR);
    return outcome(ready);
}

static int write_all(int descriptor, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -errno;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

int rk_sealed_memory(const char *name, const void *bytes, size_t count) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    int result = write_all(descriptor, bytes, count);
    if (result == 0 && lseek(descriptor, 0, SEEK_SET) < 0) result = -errno;
    if (result == 0)
        result = outcome(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    if (result == 0) return descriptor;
    close(descriptor);
    return result;
}

int rk_pidfd_open(pid_t pid) { return outcome(syscall(SYS_pidfd_open, pid, 0)); }

int rk_pidfd_send_signal(int pidfd, int signal) {
    return outcome(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int rk_pidfd_wait(int pidfd, int block, struct rk_exit *result) {
    siginfo_t info = {0};
    int status;
    do status = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL | (block ? 0 : WNOHANG));
    while (status < 0 && errno == EINTR);
    if (status < 0) return -errno;
    if (info.si_pid == 0) return 0;
    result->code = info.si_code;
    result->status = info.si_status;
    return 1;
}

int rk_close_from(unsigned first) { return outcome(close_range(first, ~0U, 0)); }

int rk_set_close_on_exec(int descriptor, int on) {
    int flags = fcntl(descriptor, F_GETFD);
    if (flags < 0) return -errno;
    return outcome(fcntl(descriptor, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC));
}
