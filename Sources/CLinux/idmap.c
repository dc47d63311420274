#include "idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { stack_size = 16 * 1024 };

/// Holds the namespace open until it is killed. It shares the caller's memory, which is cheaper than a copy: bare system
/// calls only, and none that could fail and set the caller's errno.
static int hold(void *unused) {
    (void)unused;
    // The copies of the caller's descriptors would keep its pipes open.
    syscall(SYS_close_range, 0U, ~0U, 0U);
    for (;;) syscall(SYS_pause);
}

static int write_file(pid_t pid, const char *name, const char *text) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    int result = write(file, text, strlen(text)) < 0 ? -errno : 0;
    close(file);
    return result;
}

static int open_namespace(pid_t pid, uint32_t file_uid, uint32_t shown_uid, uint32_t file_gid, uint32_t shown_gid) {
    char line[64];
    snprintf(line, sizeof line, "%u %u 1\n", file_uid, shown_uid);
    int result = write_file(pid, "uid_map", line);
    if (result < 0) return result;
    snprintf(line, sizeof line, "%u %u 1\n", file_gid, shown_gid);
    result = write_file(pid, "gid_map", line);
    if (result < 0) return result;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    int namespace = open(path, O_RDONLY | O_CLOEXEC);
    return namespace < 0 ? -errno : namespace;
}

int rk_single_id_namespace(uint32_t file_uid, uint32_t shown_uid, uint32_t file_gid, uint32_t shown_gid) {
    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    // A handler must not run in the child.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = clone(hold, stack + stack_size, CLONE_VM | CLONE_NEWUSER | SIGCHLD, NULL);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    int result = -error;
    if (pid > 0) {
        result = open_namespace(pid, file_uid, shown_uid, file_gid, shown_gid);
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    }
    munmap(stack, stack_size);
    return result;
}
