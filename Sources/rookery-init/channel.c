#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plan.h"

enum { most_descriptors = 253 };

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * most_descriptors)];
};

static ssize_t receive(char *bytes, size_t capacity, union control *control, size_t *control_length) {
    struct iovec content = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof *control};
    ssize_t received;
    do received = recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) _exit(1);
    *control_length = message.msg_controllen;
    return received;
}

size_t await_maps(int *descriptors, size_t capacity) {
    char word[8];
    union control control;
    size_t length = 0;
    ssize_t received = receive(word, sizeof word, &control, &length);
    if (received != 4 || memcmp(word, "maps", 4) != 0) _exit(1);
    if (length < sizeof(struct cmsghdr) || control.header.cmsg_type != SCM_RIGHTS) return 0;
    size_t count = (control.header.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    if (count > capacity) _exit(1);
    memcpy(descriptors, CMSG_DATA(&control.header), count * sizeof(int));
    return count;
}

void await_go(void) {
    char word[8];
    union control control;
    size_t length = 0;
    ssize_t received = receive(word, sizeof word, &control, &length);
    if (received != 2 || memcmp(word, "go", 2) != 0) _exit(1);
}

int send_descriptor(int socket, const char *word, int descriptor) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec content = {.iov_base = (void *)(size_t)word, .iov_len = strlen(word)};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
        message.msg_control = &control;
        message.msg_controllen = sizeof control.bytes;
    }
    ssize_t sent;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int tell(const char *word, int descriptor) { return send_descriptor(CONTROL, word, descriptor); }

void fail(const char *step, const char *subject) {
    int error = errno;
    char message[512];
    int length = snprintf(
        message, sizeof message, "failed%c%s%s%.300s%c%d", 0, step, subject[0] == '\0' ? "" : " ", subject, 0, error);
    if (length > 0 && length < (int)sizeof message) {
        while (send(CONTROL, message, (size_t)length, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
    }
    _exit(1);
}
