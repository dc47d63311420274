#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "mounts.h"
#include "steps.h"

/// A prepared root has the place already.
static int make_device_place(const char *place) {
    int file = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return errno == EEXIST ? 0 : -1;
    return close(file);
}

int step_device(struct launch *launch, char **arguments) {
    (void)launch;
    // Device nodes cannot be made in a user namespace: the host's own are shown.
    char source[64], place[64];
    if (strstr(arguments[0], "..") != NULL || strlen(arguments[0]) > 32) {
        errno = EINVAL;
        return -1;
    }
    snprintf(source, sizeof source, "/dev/%s", arguments[0]);
    snprintf(place, sizeof place, "dev/%s", arguments[0]);
    char *last = strrchr(place, '/');
    if (last > place + strlen("dev")) {
        *last = '\0';
        if (mkdir(place, 0755) != 0 && errno != EEXIST) return -1;
        *last = '/';
    }
    struct stat status;
    if (lstat(source, &status) != 0) return -1;
    if (!S_ISCHR(status.st_mode)) {
        errno = ENODEV;
        return -1;
    }
    int node = clone_mount(AT_FDCWD, source, false);
    if (node < 0) return -1;
    int result = make_device_place(place) != 0 ? -1 : attach_mount(node, place);
    int error = errno;
    close(node);
    errno = error;
    return result;
}

static int mount_terminals(long long most) {
    char options[64];
    snprintf(options, sizeof options, "newinstance,ptmxmode=0666,mode=0620,max=%lld", most);
    if (mkdir("dev/pts", 0755) != 0 && errno != EEXIST) return -1;
    if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, options) != 0) return -1;
    return symlink("pts/ptmx", "dev/ptmx") == 0 || errno == EEXIST ? 0 : -1;
}

int step_terminal(struct launch *launch, char **arguments) {
    long long columns = number(arguments[0], 65535), rows = number(arguments[1], 65535);
    long long most = number(arguments[2], 4096);
    if (columns < 0 || rows < 0 || most < 0) return -1;
    if (mount_terminals(most) != 0) return -1;

    launch->master = open("dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (launch->master < 0) return -1;
    int unlocked = 0;
    if (ioctl(launch->master, TIOCSPTLCK, &unlocked) != 0) return -1;
    launch->slave = ioctl(launch->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (launch->slave < 0) return -1;
    struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
    if (ioctl(launch->slave, TIOCSWINSZ, &size) != 0) return -1;
    if (launch->mapped_root && fchown(launch->slave, COMMAND_ID, COMMAND_ID) != 0) return -1;
    return tell("pty", launch->master);
}
