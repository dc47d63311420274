#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

static enum verdict set_capability_attribute(void) {
    int file = open("/workspace/capable", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (file < 0) return ABSENT;
    // VFS_CAP_REVISION_2, effective, every capability.
    static const unsigned char value[20] = {1, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255};
    int result = fsetxattr(file, "security.capability", value, sizeof value, 0);
    close(file);
    return refused(result);
}

static enum verdict set_trusted_attribute(void) {
    int file = open("/workspace/trusted", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return ABSENT;
    int result = fsetxattr(file, "trusted.overlay.opaque", "y", 1, 0);
    close(file);
    return refused(result);
}

static enum verdict setuid_ignored(void) {
    static const char *const places[] = {"/", "/usr", "/workspace", "/home/agent", "/tmp", "/dev/shm"};
    for (size_t index = 0; index < COUNT(places); index++) {
        struct statvfs status;
        if (statvfs(places[index], &status) != 0) continue;
        if ((status.f_flag & ST_NOSUID) == 0) {
            say("%s is mounted with setuid", places[index]);
            return BREACH;
        }
    }
    say("every mount is nosuid");
    return HELD;
}

static enum verdict devices_ignored(void) {
    static const char *const places[] = {"/", "/usr", "/workspace", "/home/agent", "/tmp", "/dev/shm"};
    for (size_t index = 0; index < COUNT(places); index++) {
        struct statvfs status;
        if (statvfs(places[index], &status) == 0 && (status.f_flag & ST_NODEV) == 0) {
            say("%s is mounted with devices", places[index]);
            return BREACH;
        }
    }
    say("every mount is nodev");
    return HELD;
}

static enum verdict quota_escape(void) {
    int directory = open("/workspace", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return ABSENT;
    char attributes[28] = {0};
    // FS_IOC_FSSETXATTR with another project, by which a quota is left.
    attributes[12] = 1;
    int result = ioctl(directory, 0x401c5820, attributes);
    close(directory);
    return refused(result);
}

static enum verdict immutable(void) {
    int file = open("/workspace/immutable", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return ABSENT;
    long flags = 0x10; /* FS_IMMUTABLE_FL */
    int result = ioctl(file, 0x40086602, &flags);
    if (result < 0 && errno == ENOTTY) errno = EPERM;  // a filesystem without such flags
    close(file);
    return refused(result);
}

static unsigned attributes[32] = {8, 1, 2};

static const struct call calls[] = {
    {"quotactl", SYS_quotactl, {0x80000700, 0, 0, 0}},
    {"quotactl_fd", SYS_quotactl_fd, {0, 0x80000700, 0, 0}},
    {"file_setattr", 469, {AT_FDCWD, (long)"/workspace", (long)attributes, 24, 0}},
};

static const struct probe probes[] = {
    {"file capabilities", "refused", set_capability_attribute},
    {"trusted attributes", "refused", set_trusted_attribute},
    {"setuid programs", "have no effect", setuid_ignored},
    {"device nodes", "have no effect", devices_ignored},
    {"leave a project quota", "refused", quota_escape},
    {"immutable file", "refused", immutable},
};

const struct family attributes_and_quotas = {"attributes", probes, COUNT(probes), calls, COUNT(calls)};
