#include "plan.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "channel.h"
#include "steps.h"

/// A step's name, how many arguments it has, which of them says in an error what it was about (-1: none), and its code.
struct step {
    const char *name;
    int argument_count;
    int subject;
    int (*run)(struct launch *launch, char **arguments);
};

static const struct step steps[] = {
    // a time namespace for the command, in which the machine has just started
    {"time", 0, -1, step_time},
    // root: setgroups, gid 0, uid 0 are taken; single: the only mapped id is had already
    {"identity", 1, -1, step_identity},
    // every mount becomes private to this namespace
    {"private", 0, -1, step_private},
    // source on the host, device, inode, attributes, recursive: a slot with a copy of that mount
    {"pin", 5, 0, step_pin},
    // path inside: a slot with a copy of the mount there
    {"clone", 1, 0, step_clone},
    // directory on the host to cover, size, inodes: the new root, in which all later steps work
    {"root", 3, 0, step_root},
    // directory on the host to cover, slot: the tree there is the new root
    {"prepared", 2, 0, step_prepared},
    // mode, owner, path
    {"directory", 3, 2, step_directory},
    // target, path
    {"symlink", 2, 1, step_symlink},
    // mode, path, text
    {"file", 3, 1, step_file},
    // slot, path, `directory` or `file` to make the place first, or `there`
    {"mount", 3, 1, step_attach},
    // path, size, inodes, mode, owner
    {"tmpfs", 5, 0, step_tmpfs},
    // name in /dev, there and here
    {"device", 1, 0, step_device},
    // columns, rows, how many there may be: /dev/pts, /dev/ptmx and the command's terminal, sent as "pty"
    {"terminal", 3, -1, step_terminal},
    {"proc", 0, -1, step_proc},
    // path, which need not exist, `directory` or `file` as it most likely is
    {"mask", 2, 0, step_mask},
    {"pivot", 0, -1, step_pivot},
    // path
    {"read-only", 1, 0, step_read_only},
    // path, lower, upper and work directory: overlayfs
    {"overlay", 4, 0, step_overlay},
    // path
    {"detach", 1, 0, step_detach},
    {"hostname", 1, 0, step_hostname},
    // IPv4 address, port: loopback up; the listening socket is sent as "listener"
    {"network", 2, 1, step_network},
    // loopback up, and nothing more
    {"loopback", 0, -1, step_loopback},
    {"keyring", 0, -1, step_keyring},
    // number of the resource, its limits
    {"limit", 3, 0, step_limit},
    // the capabilities that the command keeps, a bit per number: securebits, bounding set, no_new_privs
    {"privileges", 1, -1, step_privileges},
    // `read`, `write` or `device`, path: what Landlock lets the command do there
    {"landlock", 2, 1, step_landlock},
    {"argument", 1, -1, step_argument},
    {"environment", 1, -1, step_environment},
    {"work-directory", 1, 0, step_work_directory},
    // the command has rookery-init's own standard streams, not the terminal
    {"streams", 0, -1, step_streams},
};

static const struct step *find_step(const char *name) {
    for (size_t index = 0; index < sizeof steps / sizeof steps[0]; index++) {
        if (strcmp(steps[index].name, name) == 0) return &steps[index];
    }
    return NULL;
}

/// The plan's next field, or a failure report when the plan ends before it.
static char *next_field(char **position, const char *end) {
    char *field = *position;
    if (field >= end) {
        errno = EBADMSG;
        fail("plan", "");
    }
    *position = field + strlen(field) + 1;
    return field;
}

static char *read_plan(size_t *length) {
    struct stat status;
    if (fstat(PLAN, &status) != 0) fail("plan", "");
    if (status.st_size <= 0 || status.st_size > PLAN_BYTES) {
        errno = EFBIG;
        fail("plan", "");
    }
    *length = (size_t)status.st_size;
    char *plan = mmap(NULL, *length, PROT_READ | PROT_WRITE, MAP_PRIVATE, PLAN, 0);
    if (plan == MAP_FAILED) fail("plan", "");
    // Every field is then a C string within the file.
    if (plan[*length - 1] != '\0') {
        errno = EBADMSG;
        fail("plan", "");
    }
    return plan;
}

void carry_out_plan(struct launch *launch) {
    size_t length;
    char *position = read_plan(&length);
    const char *end = position + length;
    if (strcmp(next_field(&position, end), PLAN_HEADER) != 0) {
        errno = EPROTO;
        fail("plan", "");
    }
    while (position < end) {
        const char *name = next_field(&position, end);
        const struct step *step = find_step(name);
        if (step == NULL) {
            errno = ENOSYS;
            fail("plan", name);
        }
        char *arguments[PLAN_STEP_ARGUMENTS];
        for (int index = 0; index < step->argument_count; index++) arguments[index] = next_field(&position, end);
        if (step->run(launch, arguments) != 0) fail(name, step->subject < 0 ? "" : arguments[step->subject]);
    }
}

long long number(const char *text, long long most) {
    long long value = 0;
    if (text[0] == '\0') value = -1;
    for (; *text != '\0' && value >= 0; text++) {
        bool digit = *text >= '0' && *text <= '9';
        value = digit && value <= (most - (*text - '0')) / 10 ? value * 10 + (*text - '0') : -1;
    }
    if (value < 0) errno = EINVAL;
    return value;
}

int mode(const char *text) {
    int value = 0;
    if (text[0] == '\0') value = -1;
    for (; *text != '\0' && value >= 0; text++) {
        value = *text >= '0' && *text <= '7' && value < 01000 ? value * 8 + (*text - '0') : -1;
    }
    if (value < 0) errno = EINVAL;
    return value;
}

const char *inside(const char *path) {
    while (*path == '/') path++;
    return *path == '\0' ? "." : path;
}
