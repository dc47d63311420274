#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "privileges.h"
#include "steps.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

int step_time(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    // For the children: the command. Before anything else, as the offsets can be set only while this process's files
    // in /proc are its own and no child lives in the namespace.
    if (unshare(CLONE_NEWTIME) != 0) return -1;
    struct timespec monotonic, boot;
    if (clock_gettime(CLOCK_MONOTONIC, &monotonic) != 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0) return -1;
    char text[128];
    int length = snprintf(
        text, sizeof text, "monotonic -%lld 0\nboottime -%lld 0\n", (long long)monotonic.tv_sec,
        (long long)boot.tv_sec);
    int file = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, (size_t)length);
    int error = errno;
    close(file);
    errno = error;
    return written == length ? 0 : -1;
}

int step_identity(struct launch *launch, char **arguments) {
    launch->mapped_root = strcmp(arguments[0], "root") == 0;
    if (launch->mapped_root) {
        if (setgroups(0, NULL) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return -1;
    } else if (strcmp(arguments[0], "single") != 0) {
        errno = EINVAL;
        return -1;
    }
    // Not before the maps are written: a rootless launcher could no longer write them. From here on nobody inside
    // can trace this process or read its descriptors, memory and environment.
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int step_hostname(struct launch *launch, char **arguments) {
    (void)launch;
    static const char domain[] = "(none)";
    if (sethostname(arguments[0], strlen(arguments[0])) != 0) return -1;
    return setdomainname(domain, sizeof domain - 1);
}

int step_keyring(struct launch *launch, char **arguments) {
    (void)launch;
    (void)arguments;
    // The session keyring of the launcher would otherwise come along through all namespaces.
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS) return 0;
    return -1;
}

int step_limit(struct launch *launch, char **arguments) {
    (void)launch;
    long long resource = number(arguments[0], RLIM_NLIMITS - 1);
    long long soft = number(arguments[1], INT64_MAX);
    long long hard = number(arguments[2], INT64_MAX);
    if (resource < 0 || soft < 0 || hard < 0) return -1;
    // A rootless launcher cannot raise what it was given itself: the lower of the two holds.
    struct rlimit present;
    if (getrlimit((int)resource, &present) != 0) return -1;
    struct rlimit wanted = {.rlim_cur = (rlim_t)soft, .rlim_max = (rlim_t)hard};
    if (wanted.rlim_max > present.rlim_max) wanted.rlim_max = present.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    return setrlimit((int)resource, &wanted);
}

int step_privileges(struct launch *launch, char **arguments) {
    long long kept = number(arguments[0], INT64_MAX);
    if (kept < 0) return -1;
    launch->capabilities = (uint64_t)kept;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
    if (drop_bounding_set(launch->capabilities) != 0) return -1;
    // A command that keeps some carries them over its change of ids, and locks the rest then.
    if ((launch->capabilities == 0 ? lock_securebits() : open_securebits()) != 0) return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
