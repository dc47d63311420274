// What is started here must end with the sandbox. Each holds a lock on a file in the workspace: the outside half sees by
// it afterwards who is left.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

static int take_lock(const char *name) {
    char path[64];
    snprintf(path, sizeof path, "/workspace/alive.%s", name);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0) return -1;
    return file;
}

/// Goes away from this process as far as a process can, and stays.
static enum verdict leave(const char *name, void (*stay)(void)) {
    if (take_lock(name) < 0) {
        say("no lock: %s", strerror(errno));
        return BREACH;
    }
    pid_t child = fork();
    if (child < 0) return ABSENT;
    if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        setpgid(0, 0);
        for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
        for (int descriptor = 0; descriptor < 3; descriptor++) close(descriptor);
        stay();
        for (;;) pause();
    }
    waitpid(child, NULL, 0);
    say("left");
    return HELD;
}

static void do_nothing(void) {}
static void stop(void) { kill(getpid(), SIGSTOP); }
static void spin(void) {
    for (volatile unsigned long turns = 0;; turns++) {}
}
static void keep_forking(void) {
    for (;;) {
        pid_t child = fork();
        if (child != 0) _exit(0);
        setsid();
        usleep(2000);
    }
}
static void wait_in_vfork(void) {
    if (vfork() == 0) {
        for (;;) syscall(SYS_pause);
    }
}

static enum verdict daemon_left(void) { return leave("daemon", do_nothing); }
static enum verdict stopped_left(void) { return leave("stopped", stop); }
static enum verdict spinning_left(void) { return leave("spinning", spin); }
static enum verdict forking_left(void) { return leave("forking", keep_forking); }
static enum verdict vfork_left(void) { return leave("vfork", wait_in_vfork); }

static const struct probe probes[] = {
    {"leave a daemon", "checked from outside", daemon_left},
    {"leave a stopped process", "checked from outside", stopped_left},
    {"leave a busy process", "checked from outside", spinning_left},
    {"leave one that forks on and on", "checked from outside", forking_left},
    {"leave one that waits in vfork", "checked from outside", vfork_left},
};

const struct family outliving = {"outliving", probes, COUNT(probes), NULL, 0};
