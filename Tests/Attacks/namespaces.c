#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/// clone(2) with a copied address space, as fork does it.
static enum verdict cloned(unsigned long flags) {
    long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) _exit(0);
    int error = errno;
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    errno = error;
    return refused(pid);
}
static enum verdict clone_user(void) { return cloned(CLONE_NEWUSER); }
static enum verdict clone_mount(void) { return cloned(CLONE_NEWNS); }
static enum verdict clone_pid(void) { return cloned(CLONE_NEWPID); }
static enum verdict clone_net(void) { return cloned(CLONE_NEWNET); }
static enum verdict clone_ipc(void) { return cloned(CLONE_NEWIPC); }
static enum verdict clone_uts(void) { return cloned(CLONE_NEWUTS); }
static enum verdict clone_cgroup(void) { return cloned(CLONE_NEWCGROUP); }
static enum verdict clone_all(void) { return cloned(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID); }
static enum verdict clone_high_bits(void) { return cloned(CLONE_NEWUSER | 0x100000000UL); }
static enum verdict clone_traced(void) { return cloned(CLONE_PTRACE | CLONE_UNTRACED | CLONE_NEWUSER); }

static enum verdict clone3(uint64_t flags) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid == 0) _exit(0);
    int error = errno;
    if (pid > 0) waitpid((pid_t)pid, NULL, 0);
    errno = error;
    return refused(pid);
}
static enum verdict clone3_user(void) { return clone3(CLONE_NEWUSER); }
static enum verdict clone3_mount(void) { return clone3(CLONE_NEWUSER | CLONE_NEWNS); }
static enum verdict clone3_time(void) { return clone3(CLONE_NEWUSER | CLONE_NEWTIME); }

static enum verdict entered(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    long result = syscall(SYS_setns, file, 0);
    enum verdict verdict = refused(result);
    close(file);
    return verdict;
}
static enum verdict enter_init_mount(void) { return entered("/proc/1/ns/mnt"); }
static enum verdict enter_init_user(void) { return entered("/proc/1/ns/user"); }
static enum verdict enter_init_net(void) { return entered("/proc/1/ns/net"); }
static enum verdict enter_own_mount(void) { return entered("/proc/self/ns/mnt"); }
static enum verdict enter_own_net(void) { return entered("/proc/self/ns/net"); }

static enum verdict enter_by_pidfd(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return unreachable(pidfd);
    return refused(syscall(SYS_setns, pidfd, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUSER));
}

static enum verdict namespace_of_pidfd(void) {
    int pidfd = (int)syscall(SYS_pidfd_open, 1, 0);
    if (pidfd < 0) return unreachable(pidfd);
    int namespace = ioctl(pidfd, 0xff03 /* PIDFD_GET_MNT_NAMESPACE */, 0);
    if (namespace < 0 && (errno == ENOTTY || errno == EINVAL)) return ABSENT;
    return refused(namespace);
}

static enum verdict parent_of(const char *path, unsigned long request) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    int result = ioctl(file, request, 0);
    close(file);
    return refused(result);
}
static enum verdict parent_user(void) { return parent_of("/proc/self/ns/user", 0xb702); }
static enum verdict parent_pid(void) { return parent_of("/proc/self/ns/pid", 0xb702); }

static const struct call calls[] = {
    {"unshare user", SYS_unshare, {CLONE_NEWUSER}},
    {"unshare mount", SYS_unshare, {CLONE_NEWNS}},
    {"unshare pid", SYS_unshare, {CLONE_NEWPID}},
    {"unshare net", SYS_unshare, {CLONE_NEWNET}},
    {"unshare ipc", SYS_unshare, {CLONE_NEWIPC}},
    {"unshare uts", SYS_unshare, {CLONE_NEWUTS}},
    {"unshare cgroup", SYS_unshare, {CLONE_NEWCGROUP}},
    {"unshare time", SYS_unshare, {CLONE_NEWTIME}},
    {"unshare user and all", SYS_unshare, {CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID}},
    {"setns without a descriptor", SYS_setns, {-1, 0}},
    {"listns", 470, {0, 0, 0, 0}},
};

static const struct probe probes[] = {
    {"clone user", "refused", clone_user},
    {"clone mount", "refused", clone_mount},
    {"clone pid", "refused", clone_pid},
    {"clone net", "refused", clone_net},
    {"clone ipc", "refused", clone_ipc},
    {"clone uts", "refused", clone_uts},
    {"clone cgroup", "refused", clone_cgroup},
    {"clone user, mount, net, pid", "refused", clone_all},
    {"clone user with high bits", "refused", clone_high_bits},
    {"clone user and traced", "refused", clone_traced},
    {"clone3 user", "ENOSYS", clone3_user},
    {"clone3 user and mount", "ENOSYS", clone3_mount},
    {"clone3 time", "ENOSYS", clone3_time},
    {"enter pid 1's mount namespace", "refused", enter_init_mount},
    {"enter pid 1's user namespace", "refused", enter_init_user},
    {"enter pid 1's network namespace", "refused", enter_init_net},
    {"enter the own mount namespace", "refused", enter_own_mount},
    {"enter the own network namespace", "refused", enter_own_net},
    {"enter by pidfd", "refused", enter_by_pidfd},
    {"namespaces of a pidfd", "refused", namespace_of_pidfd},
    {"parent user namespace", "refused", parent_user},
    {"parent pid namespace", "refused", parent_pid},
};

const struct family namespaces = {"namespaces", probes, COUNT(probes), calls, COUNT(calls)};

static char buffer[4096];
static unsigned long request[8] = {24, 1, 1};

static const struct call mount_calls[] = {
    {"mount tmpfs", SYS_mount, {(long)"x", (long)"/workspace", (long)"tmpfs", 0, 0}},
    {"mount proc", SYS_mount, {(long)"proc", (long)"/workspace", (long)"proc", 0, 0}},
    {"mount sysfs", SYS_mount, {(long)"sys", (long)"/workspace", (long)"sysfs", 0, 0}},
    {"mount cgroup", SYS_mount, {(long)"c", (long)"/workspace", (long)"cgroup", 0, (long)"memory"}},
    {"mount cgroup2", SYS_mount, {(long)"c", (long)"/workspace", (long)"cgroup2", 0, 0}},
    {"mount devpts", SYS_mount, {(long)"d", (long)"/workspace", (long)"devpts", 0, 0}},
    {"mount overlay", SYS_mount, {(long)"o", (long)"/workspace", (long)"overlay", 0, (long)"lowerdir=/usr:/etc"}},
    {"mount fuse", SYS_mount, {(long)"f", (long)"/workspace", (long)"fuse", 0, (long)"fd=3,rootmode=40000"}},
    {"mount mqueue", SYS_mount, {(long)"m", (long)"/workspace", (long)"mqueue", 0, 0}},
    {"mount binfmt_misc", SYS_mount, {(long)"b", (long)"/workspace", (long)"binfmt_misc", 0, 0}},
    {"bind mount", SYS_mount, {(long)"/usr", (long)"/workspace", 0, 4096, 0}},
    {"recursive bind mount of /", SYS_mount, {(long)"/", (long)"/workspace", 0, 4096 | 16384, 0}},
    {"move a mount", SYS_mount, {(long)"/workspace", (long)"/tmp", 0, 8192, 0}},
    {"remount /usr writable", SYS_mount, {0, (long)"/usr", 0, 32 | 4096, 0}},
    {"remount / writable", SYS_mount, {0, (long)"/", 0, 32 | 4096, 0}},
    {"remount /proc writable", SYS_mount, {0, (long)"/proc", 0, 32 | 4096, 0}},
    {"make / shared", SYS_mount, {0, (long)"/", 0, (1 << 20) | 16384, 0}},
    {"unmount a mask", SYS_umount2, {(long)"/proc/kcore", 2}},
    {"unmount /proc", SYS_umount2, {(long)"/proc", 2}},
    {"unmount /workspace", SYS_umount2, {(long)"/workspace", 2}},
    {"unmount /", SYS_umount2, {(long)"/", 2}},
    {"pivot_root", SYS_pivot_root, {(long)"/workspace", (long)"/workspace"}},
    {"open_tree", SYS_open_tree, {AT_FDCWD, (long)"/", 1 | 0x8000}},
    {"move_mount", SYS_move_mount, {AT_FDCWD, (long)"/usr", AT_FDCWD, (long)"/workspace", 0}},
    {"fsopen", SYS_fsopen, {(long)"tmpfs", 0}},
    {"fsconfig", SYS_fsconfig, {-1, 6, 0, 0, 0}},
    {"fsmount", SYS_fsmount, {-1, 0, 0}},
    {"fspick", SYS_fspick, {AT_FDCWD, (long)"/", 0}},
    {"mount_setattr", SYS_mount_setattr, {AT_FDCWD, (long)"/usr", 0, (long)buffer, 32}},
    {"open_tree_attr", 467, {AT_FDCWD, (long)"/", 1, (long)buffer, 32}},
    {"statmount", 457, {(long)request, (long)buffer, sizeof buffer, 0}},
    {"listmount", 458, {(long)request, (long)buffer, 16, 0}},
    {"swapon", SYS_swapon, {(long)"/workspace/x", 0}},
    {"swapoff", SYS_swapoff, {(long)"/workspace/x"}},
    {"ustat", SYS_ustat, {0, (long)buffer}},
};

const struct family mounts = {"mounts", NULL, 0, mount_calls, COUNT(mount_calls)};
