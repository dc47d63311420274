#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "steps.h"

/// A path may not end the option that it is part of.
static int plain(const char *path) {
    if (path[strcspn(path, ",:\\")] == '\0') return 0;
    errno = EINVAL;
    return -1;
}

int step_overlay(struct launch *launch, char **arguments) {
    (void)launch;
    for (int index = 1; index < 4; index++) {
        if (plain(arguments[index]) != 0) return -1;
    }
    char options[1024];
    // Extended attributes of overlayfs itself go to user.*: a user namespace may not write trusted.* ones.
    int length = snprintf(
        options, sizeof options, "userxattr,lowerdir=%s,upperdir=%s,workdir=%s", inside(arguments[1]),
        inside(arguments[2]), inside(arguments[3]));
    if (length < 0 || length >= (int)sizeof options) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return mount("overlay", inside(arguments[0]), "overlay", MS_NOSUID | MS_NODEV, options);
}

int step_detach(struct launch *launch, char **arguments) {
    (void)launch;
    return umount2(inside(arguments[0]), MNT_DETACH | UMOUNT_NOFOLLOW);
}
