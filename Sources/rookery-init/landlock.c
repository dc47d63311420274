#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

// linux/landlock.h of the oldest kernel headers that this is built with knows only the first rights.
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIRECTORY = 1 << 3,
    REFER = 1 << 13,             ///< ABI 2
    TRUNCATE = 1 << 14,          ///< ABI 3
    CONTROL_DEVICE = 1 << 15,    ///< ABI 5
    SCOPE_ABSTRACT_SOCKET = 1,   ///< ABI 6
    SCOPE_SIGNAL = 2,            ///< ABI 6
    RULE_PATH_BENEATH = 1,
    VERSION_QUESTION = 1,
};

struct ruleset {
    uint64_t files, network, scopes;
};

struct rule {
    uint64_t rights;
    int place;
} __attribute__((packed));

static const uint64_t on_files = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | CONTROL_DEVICE;

static uint64_t rights_of(const char *word) {
    if (strcmp(word, "read") == 0) return EXECUTE | READ_FILE | READ_DIRECTORY;
    if (strcmp(word, "device") == 0) return READ_FILE | READ_DIRECTORY | WRITE_FILE | TRUNCATE | CONTROL_DEVICE;
    if (strcmp(word, "write") == 0) return (1 << 16) - 1;
    return 0;
}

int step_landlock(struct launch *launch, char **arguments) {
    struct place place = {.rights = rights_of(arguments[0]), .path = arguments[1]};
    if (place.rights == 0 || launch->place_count == PLAN_PLACES) {
        errno = EINVAL;
        return -1;
    }
    launch->places[launch->place_count++] = place;
    return 0;
}

/// The rights that this kernel can refuse.
static struct ruleset handled(long version) {
    struct ruleset set = {.files = (1 << 13) - 1};
    if (version >= 2) set.files |= REFER;
    if (version >= 3) set.files |= TRUNCATE;
    if (version >= 5) set.files |= CONTROL_DEVICE;
    if (version >= 6) set.scopes = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
    return set;
}

static int allow(int rules, const struct ruleset *set, const struct place *place) {
    int file = open(place->path, O_PATH | O_CLOEXEC);
    if (file < 0) return -1;
    struct stat status;
    int result = fstat(file, &status);
    struct rule rule = {.rights = place->rights & set->files, .place = file};
    if (result == 0 && !S_ISDIR(status.st_mode)) rule.rights &= on_files;
    if (result == 0) result = (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0);
    int error = errno;
    close(file);
    errno = error;
    return result;
}

int restrict_files(const struct launch *launch) {
    if (launch->place_count == 0) return 0;
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_QUESTION);
    if (version < 1) return -1;
    struct ruleset set = handled(version);
    // Older kernels refuse a structure whose later fields they do not know, unless these are zero.
    int rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
    if (rules < 0) return -1;
    int result = 0;
    for (size_t index = 0; index < launch->place_count && result == 0; index++)
        result = allow(rules, &set, &launch->places[index]);
    if (result == 0) result = (int)syscall(SYS_landlock_restrict_self, rules, 0);
    int error = errno;
    close(rules);
    errno = error;
    return result;
}
