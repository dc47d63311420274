#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "steps.h"

int step_directory(struct launch *launch, char **arguments) {
    int bits = mode(arguments[0]);
    long long owner = number(arguments[1], 65535);
    if (bits < 0 || owner < 0) return -1;
    // Above a policy's mount a session may have made a link.
    const char *name;
    int holder = open_holder(inside(arguments[2]), &name);
    if (holder < 0) return -1;
    int result = mkdirat(holder, name, (mode_t)bits) == 0 || errno == EEXIST ? 0 : -1;
    // Rootless there is one id, which owns everything already.
    if (result == 0 && launch->mapped_root && owner != 0)
        result = fchownat(holder, name, (uid_t)owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW);
    int error = errno;
    close(holder);
    errno = error;
    return result;
}

int step_symlink(struct launch *launch, char **arguments) {
    (void)launch;
    return symlink(arguments[0], inside(arguments[1]));
}

int step_file(struct launch *launch, char **arguments) {
    (void)launch;
    int bits = mode(arguments[0]);
    if (bits < 0) return -1;
    int file = open(inside(arguments[1]), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, bits);
    if (file < 0) return -1;
    size_t length = strlen(arguments[2]);
    ssize_t written = length == 0 ? 0 : write(file, arguments[2], length);
    int error = errno;
    if (close(file) != 0) return -1;
    if (written == (ssize_t)length) return 0;
    errno = written < 0 ? error : ENOSPC;
    return -1;
}
