#include "seqpacket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int unix_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return 0;
}

static int open_socket(void) {
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return descriptor < 0 ? -errno : descriptor;
}

static int close_with(int descriptor, int error) {
    close(descriptor);
    return -error;
}

int rk_seqpacket_listen(const char *path, int backlog) {
    struct sockaddr_un address;
    int named = unix_address(path, &address);
    if (named < 0) return named;
    int descriptor = open_socket();
    if (descriptor < 0) return descriptor;
    if (unlink(path) != 0 && errno != ENOENT) return close_with(descriptor, errno);
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0) return close_with(descriptor, errno);
    if (listen(descriptor, backlog) != 0) return close_with(descriptor, errno);
    return descriptor;
}

int rk_seqpacket_accept(int listener) {
    int descriptor;
    do descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -errno : descriptor;
}

int rk_seqpacket_connect(const char *path) {
    struct sockaddr_un address;
    int named = unix_address(path, &address);
    if (named < 0) return named;
    int descriptor = open_socket();
    if (descriptor < 0) return descriptor;
    int result;
    do result = connect(descriptor, (const struct sockaddr *)&address, sizeof address);
    while (result != 0 && errno == EINTR);
    return result != 0 ? close_with(descriptor, errno) : descriptor;
}
