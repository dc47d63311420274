#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "probe.h"

/// The command's own terminal, or a new one where it has none.
static int terminal(void) {
    int file = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (file >= 0) return file;
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return -1;
    int unlocked = 0;
    ioctl(master, TIOCSPTLCK, &unlocked);
    return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
}

static enum verdict control(unsigned long number, void *argument) {
    int file = terminal();
    if (file < 0) return ABSENT;
    long result = syscall(SYS_ioctl, file, number, argument);
    // The terminal has no such request at all: nothing to attack.
    if (result < 0 && (errno == ENOTTY || errno == EINVAL)) errno = EPERM;
    return refused(result);
}
static char letter = 'x';
static int zero, three = 3;
static enum verdict type_into(void) { return control(TIOCSTI, &letter); }
static enum verdict type_high_bits(void) { return control(0x100000000UL | TIOCSTI, &letter); }
static enum verdict type_more_bits(void) { return control(0xdead00000000UL | TIOCSTI, &letter); }
static enum verdict console_paste(void) { return control(TIOCLINUX, &three); }
static enum verdict console_high_bits(void) { return control(0x100000000UL | TIOCLINUX, &three); }
static enum verdict console_output(void) { return control(TIOCCONS, NULL); }
static enum verdict line_discipline(void) { return control(TIOCSETD, &three); }
static enum verdict hang_up(void) { return control(0x5437 /* TIOCVHANGUP */, NULL); }
static enum verdict switch_console(void) { return control(0x5606 /* VT_ACTIVATE */, (void *)1); }
static enum verdict keyboard_map(void) { return control(0x4b47 /* KDSKBENT */, &zero); }
static enum verdict font(void) { return control(0x4b72 /* KDFONTOP */, &zero); }
static enum verdict serial(void) { return control(0x541f /* TIOCSSERIAL */, &zero); }
static enum verdict steal(void) {
    int file = terminal();
    if (file < 0) return ABSENT;
    // From a session that has none: only then could it be taken from another.
    pid_t child = fork();
    if (child == 0) _exit(setsid() < 0 || ioctl(file, TIOCSCTTY, 1) == 0 ? 1 : 0);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return ABSENT;
    say("%s", status == 0 ? "refused" : "taken");
    return status == 0 ? HELD : BREACH;
}

static enum verdict other_terminals(void) {
    int count = 0;
    for (int number = 0; number < 64; number++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        int file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (file < 0) continue;
        count++;
        close(file);
    }
    say("%d there", count);
    // The sandbox's own, if it has one.
    return count <= 1 ? HELD : BREACH;
}

static enum verdict own_instance(void) {
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return refused(master);
    unsigned number = 0;
    ioctl(master, TIOCGPTN, &number);
    say("number %u", number);
    return number < 32 ? HELD : BREACH;
}

static enum verdict own_session(void) {
    // The session's leader is of this pid namespace: 0 would be one of the host's.
    pid_t session = getsid(0);
    say("session %d", session);
    return session > 0 ? HELD : BREACH;
}

static enum verdict foreground_of_host(void) {
    int file = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    pid_t group = tcgetpgrp(file);
    say("group %d", group);
    return group != 0 ? HELD : BREACH;
}

static const struct probe probes[] = {
    {"TIOCSTI (CVE-2017-5226)", "refused", type_into},
    {"TIOCSTI with high bits (CVE-2019-10063)", "refused", type_high_bits},
    {"TIOCSTI with other high bits", "refused", type_more_bits},
    {"TIOCLINUX (CVE-2023-28100)", "refused", console_paste},
    {"TIOCLINUX with high bits", "refused", console_high_bits},
    {"TIOCCONS", "refused", console_output},
    {"TIOCSETD", "refused", line_discipline},
    {"TIOCVHANGUP", "refused", hang_up},
    {"VT_ACTIVATE", "refused", switch_console},
    {"KDSKBENT", "refused", keyboard_map},
    {"KDFONTOP", "refused", font},
    {"TIOCSSERIAL", "refused", serial},
    {"steal a terminal", "refused", steal},
    {"terminals of others", "none", other_terminals},
    {"ptmx of its own", "own instance", own_instance},
    {"terminal session of its own", "own", own_session},
    {"foreground of the caller's terminal", "own", foreground_of_host},
};

const struct family terminals = {"terminals", probes, COUNT(probes), NULL, 0};
