#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel.h"
#include "landlock.h"
#include "privileges.h"
#include "steps.h"

static int collect(char **list, size_t *count, char *text) {
    if (*count == PLAN_ARGUMENTS) {
        errno = E2BIG;
        return -1;
    }
    list[(*count)++] = text;
    return 0;
}

int step_argument(struct launch *launch, char **arguments) {
    return collect(launch->arguments, &launch->argument_count, arguments[0]);
}

int step_environment(struct launch *launch, char **arguments) {
    return collect(launch->environment, &launch->environment_count, arguments[0]);
}

int step_work_directory(struct launch *launch, char **arguments) {
    launch->directory = arguments[0];
    return 0;
}

int step_streams(struct launch *launch, char **arguments) {
    (void)arguments;
    launch->streams = true;
    return 0;
}

static int take_terminal(int slave, bool streams) {
    if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0) return -1;
    if (streams) return 0;
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (dup2(slave, descriptor) < 0) return -1;
    }
    return 0;
}

static int take_identity(const struct launch *launch) {
    if (launch->mapped_root) {
        if (setgroups(0, NULL) != 0) return -1;
        if (setresgid(COMMAND_ID, COMMAND_ID, COMMAND_ID) != 0) return -1;
        if (setresuid(COMMAND_ID, COMMAND_ID, COMMAND_ID) != 0) return -1;
    }
    return launch->capabilities == 0 ? keep_capabilities(0) : pass_on_capabilities(launch->capabilities);
}

/// The filters, last of all: they refuse much of what was done before. The first one leaves what is known bad to somebody
/// outside, who counts it and answers with a refusal; nothing of it is ever let through.
static void filter_calls(void) {
    int listener = install_filter_with_listener(ARGUMENT_FILTER);
    if (listener < 0) fail("seccomp", "");
    if (send_descriptor(VIOLATIONS, "notify", listener) != 0) fail("seccomp listener", "");
    close(listener);
    if (install_filter(NUMBER_FILTER) != 0) fail("seccomp", "");
}

static int reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void run_command(struct launch *launch) {
    if (take_terminal(launch->slave, launch->streams) != 0) fail("terminal", "");
    if (take_identity(launch) != 0) fail("command identity", "");
    if (launch->directory != NULL && chdir(launch->directory) != 0) fail("work-directory", launch->directory);
    if (reset_signals() != 0) fail("signals", "");
    umask(022);
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) fail("close_range", "");
    if (restrict_files(launch) != 0) fail("landlock", "");
    filter_calls();
    await_go();
    execve(launch->arguments[0], launch->arguments, launch->environment);
    fail("exec", launch->arguments[0]);
}

pid_t start_command(struct launch *launch) {
    if (launch->argument_count == 0) {
        errno = EINVAL;
        fail("exec", "");
    }
    pid_t command = fork();
    if (command < 0) fail("fork", "");
    if (command == 0) run_command(launch);
    return command;
}
