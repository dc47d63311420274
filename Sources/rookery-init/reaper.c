#include "reaper.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan.h"

/// Writes `code 7\n`. By hand, since the filter of PID 1 lets through no more than is needed.
static void write_status(const char *word, int value) {
    char text[32];
    size_t length = strlen(word);
    memcpy(text, word, length);
    char digits[12];
    size_t count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0) text[length++] = digits[--count];
    text[length++] = '\n';
    while (write(STATUS, text, length) < 0 && errno == EINTR) {}
}

/// The command has ended: say how, and go. The kernel kills what is left in the namespace and takes it down.
__attribute__((noreturn)) static void finish(int status) {
    if (WIFEXITED(status)) write_status("code ", WEXITSTATUS(status));
    else write_status("signal ", WTERMSIG(status));
    _exit(0);
}

static void reap_children(pid_t command) {
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
        if (child == command) finish(status);
    }
}

/// Signals the command's process group and, where that is another one, the terminal's foreground group.
static void pass_on(int number, pid_t command, int master) {
    kill(-command, number);
    pid_t foreground = 0;
    if (master < 0 || ioctl(master, TIOCGPGRP, &foreground) != 0) return;
    if (foreground > 1 && foreground != command) kill(-foreground, number);
}

/// One byte from the leash is a signal's number; its end is the end of the worker.
static void read_leash(pid_t command, int master) {
    unsigned char number;
    ssize_t count = read(LEASH, &number, 1);
    if (count == 1) {
        if (number >= 1 && number <= 64) pass_on(number, command, master);
        return;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    kill(-1, SIGKILL);
    _exit(1);
}

void reap(pid_t command, int events, int master) {
    struct pollfd watched[] = {{.fd = events, .events = POLLIN}, {.fd = LEASH, .events = POLLIN}};
    for (;;) {
        reap_children(command);
        if (poll(watched, 2, -1) < 0) continue;
        struct signalfd_siginfo event;
        if (watched[0].revents != 0 && read(events, &event, sizeof event) < 0) continue;
        if (watched[1].revents != 0) read_leash(command, master);
    }
}
