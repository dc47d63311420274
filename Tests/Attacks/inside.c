// The inside half: runs every probe in a process of its own and prints a line for each.

#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

enum { seconds_for_a_probe = 60, text_size = 160 };

static const struct family *const families[] = {
    &files,   &kernel_files, &attributes_and_quotas, &processes, &namespaces, &mounts,       &devices,
    &network, &kernel,       &identity,              &terminals, &resources,  &fingerprints, &outliving,
};

/// Shared with the probes' processes.
static char *found;
static const char *const verdict_names[] = {"held", "BREACH", "absent", "known"};

void say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found, text_size, format, arguments);
    va_end(arguments);
    for (char *c = found; *c != '\0'; c++) {
        if (*c == '\t' || *c == '\n') *c = ' ';
    }
}

static enum verdict judge(long result, const int *accepted, size_t count) {
    int error = errno;
    if (result >= 0) {
        say("worked (%ld)", result);
        return BREACH;
    }
    say("%s", strerror(error));
    for (size_t index = 0; index < count; index++) {
        if (accepted[index] == error) return HELD;
    }
    return BREACH;
}

enum verdict refused(long result) {
    static const int accepted[] = {EPERM, EACCES, ENOSYS, EROFS, EAFNOSUPPORT, EPROTONOSUPPORT};
    return judge(result, accepted, COUNT(accepted));
}

enum verdict unreachable(long result) {
    static const int accepted[] = {EPERM, EACCES, ENOSYS, EROFS, ENOENT, ENOTDIR, ENXIO, ENODEV, ESRCH, ELOOP};
    return judge(result, accepted, COUNT(accepted));
}

enum verdict failed_with(long result, int expected) { return judge(result, &expected, 1); }

enum verdict try_open(const char *path, int flags) {
    int file = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    enum verdict verdict = unreachable(file);
    if (file >= 0) close(file);
    return verdict;
}

long read_text(const char *path, char *text, size_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    size_t length = 0;
    ssize_t count;
    while (length + 1 < capacity && (count = read(file, text + length, capacity - 1 - length)) > 0)
        length += (size_t)count;
    int error = errno;
    close(file);
    errno = error;
    text[length] = '\0';
    return (long)length;
}

static enum verdict make_call(const struct call *call) {
    const long *a = call->arguments;
    long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int error = errno;
    if (result < 0 && (error == EPERM || error == EACCES || error == ENOSYS)) {
        say("%s", strerror(error));
        return HELD;
    }
    // Any other errno means that the kernel's code behind the call was reached.
    say("%s", result >= 0 ? "worked" : strerror(error));
    return BREACH;
}

/// How the probe's process ended.
static enum verdict judge_end(int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) <= KNOWN) return (enum verdict)WEXITSTATUS(status);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
        say("killed: Bad system call");
        return HELD;
    }
    say("the probe itself failed (status %#x)", (unsigned)status);
    return BREACH;
}

static enum verdict await(pid_t child) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    time_t deadline = time(NULL) + seconds_for_a_probe;
    for (;;) {
        int status;
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child) return judge_end(status);
        if (time(NULL) >= deadline) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            say("no answer in %d s", seconds_for_a_probe);
            return BREACH;
        }
        struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};
        sigtimedwait(&children, NULL, &moment);
    }
}

static enum verdict run_one(const struct probe *probe, const struct call *call) {
    found[0] = '\0';
    pid_t child = fork();
    if (child < 0) {
        say("no process for the probe: %s", strerror(errno));
        return BREACH;
    }
    if (child == 0) {
        setpgid(0, 0);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        _exit(probe != NULL ? (int)probe->run() : (int)make_call(call));
    }
    setpgid(child, child);
    enum verdict verdict = await(child);
    // What the probe left running.
    kill(-child, SIGKILL);
    while (waitpid(-1, NULL, WNOHANG) > 0) {}
    return verdict;
}

static void report(
    const char *family, const char *name, const char *expected, enum verdict verdict, size_t counts[4]) {
    counts[verdict]++;
    printf("%s\t%s\t%s\t%s\t%s\n", family, name, expected, verdict_names[verdict], found);
    fflush(stdout);
}

int run_inside(void) {
    found = mmap(NULL, text_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) return 2;
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL);
    size_t counts[4] = {0};
    for (size_t index = 0; index < COUNT(families); index++) {
        const struct family *family = families[index];
        for (size_t n = 0; n < family->call_count; n++) {
            enum verdict verdict = run_one(NULL, &family->calls[n]);
            report(family->name, family->calls[n].name, "call refused", verdict, counts);
        }
        for (size_t n = 0; n < family->probe_count; n++) {
            enum verdict verdict = run_one(&family->probes[n], NULL);
            report(family->name, family->probes[n].name, family->probes[n].expected, verdict, counts);
        }
    }
    printf("# inside\t%zu held\t%zu breaches\t%zu known\t%zu absent\n", counts[HELD], counts[BREACH], counts[KNOWN],
        counts[ABSENT]);
    return counts[BREACH] == 0 ? 0 : 1;
}
