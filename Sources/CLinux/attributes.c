#include "attributes.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static int copy_attribute(int from, int to, const char *name, void *value) {
    ssize_t size = fgetxattr(from, name, value, XATTR_SIZE_MAX);
    // Taken away since it was listed.
    if (size < 0) return errno == ENODATA ? 0 : -errno;
    if (fsetxattr(to, name, value, (size_t)size, 0) == 0) return 0;
    return errno == ENOTSUP ? 0 : -errno;
}

int rk_copy_user_attributes(int from, int to) {
    static const char prefix[] = "user.";
    // Most files have none.
    ssize_t length = flistxattr(from, NULL, 0);
    if (length == 0) return 0;
    if (length < 0) return errno == ENOTSUP ? 0 : -errno;
    char *names = malloc(XATTR_LIST_MAX + 1 + XATTR_SIZE_MAX);
    if (names == NULL) return -ENOMEM;
    char *value = names + XATTR_LIST_MAX + 1;
    length = flistxattr(from, names, XATTR_LIST_MAX);
    int result = length < 0 ? -errno : 0;
    if (length > 0) names[length] = '\0';
    for (ssize_t at = 0; result == 0 && at < length; at += (ssize_t)strlen(names + at) + 1) {
        if (strncmp(names + at, prefix, sizeof prefix - 1) == 0) {
            result = copy_attribute(from, to, names + at, value);
        }
    }
    free(names);
    return result;
}

int rk_attribute_is(const char *path, const char *name, const char *text) {
    char value[64];
    ssize_t size = getxattr(path, name, value, sizeof value);
    return size >= 0 && (size_t)size == strlen(text) && memcmp(value, text, (size_t)size) == 0;
}
