#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int outcome(long result) { return result < 0 ? -errno : (int)result; }

int rk_shed_privileges(void) {
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0) return -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -errno;
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        // The first number that the kernel does not know ends the list; at least one was there.
        return errno == EINVAL && capability > 0 ? 0 : -errno;
    }
    return 0;
}

int rk_seal_process(void) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -errno;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -errno;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{.effective = 0}, {.effective = 0}};
    if (syscall(SYS_capset, &header, none) != 0) return -errno;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -errno;

    struct __user_cap_data_struct found[2];
    if (syscall(SYS_capget, &header, found) != 0) return -errno;
    for (int i = 0; i < 2; i++) {
        if ((found[i].effective | found[i].permitted | found[i].inheritable) != 0) return -ENOTRECOVERABLE;
    }
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -ENOTRECOVERABLE;
}

// Debian 12's headers know the first version of Landlock only; the numbers and layouts are the kernel's own for good.
struct ruleset {
    uint64_t files;
    uint64_t ports;
    uint64_t scoped;
};
struct path_rule {
    uint64_t files;
    int32_t path;
} __attribute__((packed));
struct port_rule {
    uint64_t ports;
    uint64_t port;
};
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1, PATH_RULE = 1, PORT_RULE = 2 };

int rk_landlock_abi(void) { return outcome(syscall(CREATE_RULESET, NULL, (size_t)0, ASK_VERSION)); }

int rk_landlock_ruleset(uint64_t files, uint64_t ports, uint64_t scoped) {
    // A kernel that does not know the last members takes them as long as they are 0.
    struct ruleset rules = {.files = files, .ports = ports, .scoped = scoped};
    return outcome(syscall(CREATE_RULESET, &rules, sizeof rules, 0));
}

int rk_landlock_allow_path(int ruleset, int path, uint64_t files) {
    struct path_rule rule = {.files = files, .path = path};
    return outcome(syscall(ADD_RULE, ruleset, PATH_RULE, &rule, 0));
}

int rk_landlock_allow_port(int ruleset, uint16_t port, uint64_t ports) {
    struct port_rule rule = {.ports = ports, .port = port};
    return outcome(syscall(ADD_RULE, ruleset, PORT_RULE, &rule, 0));
}

int rk_landlock_restrict(int ruleset) { return outcome(syscall(RESTRICT_SELF, ruleset, 0)); }
