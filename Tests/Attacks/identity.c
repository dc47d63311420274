#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/// Ids that are not mapped are EINVAL, or EOVERFLOW on an idmapped mount: as good as refused.
static enum verdict not_taken(long result) {
    if (result < 0 && (errno == EINVAL || errno == EOVERFLOW)) errno = EPERM;
    return refused(result);
}
static enum verdict become_root(void) { return not_taken(setuid(0)); }
static enum verdict become_root_group(void) { return not_taken(setgid(0)); }
static enum verdict become_other(void) { return not_taken(setresuid(1001, 1001, 1001)); }
static enum verdict become_other_group(void) { return not_taken(setresgid(5, 5, 5)); }
static enum verdict add_groups(void) {
    gid_t groups[] = {0, 6};
    return not_taken(setgroups(2, groups));
}
static enum verdict drop_groups(void) { return not_taken(setgroups(0, NULL)); }

static enum verdict file_user(void) {
    setfsuid(0);
    int now = setfsuid((uid_t)-1);
    say("fsuid %d", now);
    return now == 0 && geteuid() != 0 ? BREACH : HELD;
}

static enum verdict not_root(void) {
    say("uid %u, gid %u", geteuid(), getegid());
    return geteuid() != 0 && getegid() != 0 ? HELD : BREACH;
}

static enum verdict no_groups(void) {
    gid_t groups[64];
    int count = getgroups(64, groups);
    int extra = 0;
    // Rootless: the caller's own groups cannot be dropped; they are nobody's inside, and the caller's own outside.
    for (int index = 0; index < count; index++) extra += groups[index] != getegid() && groups[index] != 65534;
    say("%d supplementary, %d of a meaning", count, extra);
    return extra == 0 ? HELD : BREACH;
}

static enum verdict capability_sets(void) {
    char text[4096];
    if (read_text("/proc/self/status", text, sizeof text) < 0) return ABSENT;
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    for (size_t index = 0; index < COUNT(sets); index++) {
        char *line = strstr(text, sets[index]);
        if (line == NULL) continue;
        if (strtoull(line + 7, NULL, 16) != 0) {
            say("%.24s", line);
            return BREACH;
        }
    }
    say("all empty");
    return HELD;
}

static enum verdict raise_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};
    return not_taken(syscall(SYS_capset, &header, data));
}

static enum verdict raise_ambient(void) {
    return not_taken(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0));
}

static enum verdict change_securebits(void) { return not_taken(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0)); }

static enum verdict root_is_nobody(void) {
    int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    say("securebits %#x", bits);
    return bits >= 0 && (bits & SECBIT_NOROOT) && (bits & SECBIT_NOROOT_LOCKED) ? HELD : BREACH;
}

static enum verdict no_new_privileges(void) {
    int bit = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    say("%d", bit);
    return bit == 1 ? HELD : BREACH;
}

static enum verdict give_away(uid_t owner) {
    int file = open("/workspace/mine", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return ABSENT;
    int result = fchown(file, owner, owner);
    close(file);
    return not_taken(result);
}
static enum verdict give_to_root(void) { return give_away(0); }
static enum verdict give_to_other(void) { return give_away(1001); }

static enum verdict setuid_of_own(void) {
    // Such a file is worth something on the host only when it belongs to somebody of the host.
    int file = open("/workspace/suid", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (file < 0) return ABSENT;
    int result = fchmod(file, 04755);
    struct stat status;
    fstat(file, &status);
    close(file);
    unlink("/workspace/suid");
    say("owner %u", status.st_uid);
    return result == 0 && status.st_uid == 0 ? BREACH : HELD;
}

static enum verdict map_of_ids(void) {
    char text[256];
    if (read_text("/proc/self/uid_map", text, sizeof text) < 0) return ABSENT;
    unsigned long inside, outside, count;
    if (sscanf(text, "%lu %lu %lu", &inside, &outside, &count) != 3) return ABSENT;
    say("%lu is %lu, %lu of them", inside, outside, count);
    // Rootless the single id is the caller's own.
    return outside == 0 || (strcmp(targets.mode, "root") == 0 && outside < 65536) ? BREACH : HELD;
}

static enum verdict usr_is_roots(void) {
    struct stat status;
    if (stat("/usr/bin/env", &status) != 0) return ABSENT;
    say("/usr belongs to %u", status.st_uid);
    return status.st_uid == geteuid() ? BREACH : HELD;
}

static const struct probe probes[] = {
    {"the own ids", "not root", not_root},
    {"setuid 0", "refused", become_root},
    {"setgid 0", "refused", become_root_group},
    {"setresuid to another", "refused", become_other},
    {"setresgid to another", "refused", become_other_group},
    {"setgroups", "refused", add_groups},
    {"setgroups to none", "refused", drop_groups},
    {"setfsuid 0", "no effect", file_user},
    {"supplementary groups", "none", no_groups},
    {"capability sets", "empty", capability_sets},
    {"capset", "refused", raise_capabilities},
    {"ambient capability", "refused", raise_ambient},
    {"change securebits", "refused", change_securebits},
    {"uid 0 means nothing", "locked", root_is_nobody},
    {"no_new_privs", "on", no_new_privileges},
    {"give a file to root", "refused", give_to_root},
    {"give a file to another", "refused", give_to_other},
    {"setuid bit on an own file", "not root's", setuid_of_own},
    {"host ids of the sandbox", "not the host's", map_of_ids},
    {"/usr is not the session's", "another's", usr_is_roots},
};

const struct family identity = {"ids", probes, COUNT(probes), NULL, 0};
