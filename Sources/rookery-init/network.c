#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "steps.h"

enum { backlog = 128 };

static int raise_loopback(int socket) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, "lo");
    if (ioctl(socket, SIOCGIFFLAGS, &request) != 0) return -1;
    // The host's own is up, and not for this process to change.
    if ((request.ifr_flags & IFF_UP) != 0) return 0;
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    return ioctl(socket, SIOCSIFFLAGS, &request);
}

int step_loopback(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0) return -1;
    int result = raise_loopback(file);
    int error = errno;
    close(file);
    errno = error;
    return result;
}

int step_network(struct launch *launch, char **arguments) {
    (void)launch;
    long long port = number(arguments[1], 65535);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (port < 0 || inet_pton(AF_INET, arguments[0], &address.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    // The socket belongs to this network namespace for ever, whoever accepts on it.
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    if (raise_loopback(listener) != 0) return -1;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    if (listen(listener, backlog) != 0) return -1;
    if (tell("listener", listener) != 0) return -1;
    // Only the worker may hold it: were a copy kept here, connections would hang when the worker is gone.
    return close(listener);
}
