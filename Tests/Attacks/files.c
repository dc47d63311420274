#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static enum verdict open_with_prefix(const char *prefix, int flags) {
    char path[512];
    if (targets.file[0] == '\0') return ABSENT;
    snprintf(path, sizeof path, "%s%s", prefix, targets.file);
    return try_open(path, flags);
}

static enum verdict host_file(void) { return open_with_prefix("", O_RDONLY); }
static enum verdict host_file_write(void) { return open_with_prefix("", O_WRONLY); }
static enum verdict climbing(void) { return open_with_prefix("/../../../../..", O_RDONLY); }
static enum verdict workspace_climbing(void) { return open_with_prefix("/workspace/../..", O_RDONLY); }
static enum verdict init_root(void) { return open_with_prefix("/proc/1/root", O_RDONLY); }
static enum verdict init_directory(void) { return open_with_prefix("/proc/1/cwd", O_RDONLY); }
static enum verdict own_root(void) { return open_with_prefix("/proc/self/root/..", O_RDONLY); }

static enum verdict init_descriptors(void) {
    for (int number = 0; number < 64; number++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "/proc/1/fd/%d", number);
        char text[512];
        if (readlink(prefix, text, sizeof text) >= 0) {
            say("%s can be read", prefix);
            return BREACH;
        }
        if (open_with_prefix(prefix, O_RDONLY) == BREACH) return BREACH;
    }
    say("none can be read");
    return HELD;
}

static enum verdict symbolic_link(void) {
    if (targets.file[0] == '\0') return ABSENT;
    unlink("/workspace/link");
    if (symlink(targets.file, "/workspace/link") != 0) return ABSENT;
    return try_open("/workspace/link", O_RDONLY);
}

static enum verdict magic_link_out(void) {
    // CVE-2024-21626: a descriptor on a directory of the host that came along.
    for (int number = 3; number < 256; number++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "/proc/self/fd/%d", number);
        if (open_with_prefix(prefix, O_RDONLY) == BREACH) return BREACH;
    }
    say("no descriptor leads out");
    return HELD;
}

static enum verdict inherited_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return ABSENT;
    int extra = 0;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int number = atoi(entry->d_name);
        if (number > 2 && number != dirfd(directory)) extra++;
    }
    closedir(directory);
    say("%d beyond the standard streams", extra);
    return extra == 0 ? HELD : BREACH;
}

static enum verdict stream_kinds(void) {
    for (int number = 0; number < 3; number++) {
        struct stat status;
        if (fstat(number, &status) != 0) continue;
        if (S_ISDIR(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISBLK(status.st_mode)) {
            say("descriptor %d is the host's", number);
            return BREACH;
        }
    }
    say("pipes or the own terminal");
    return HELD;
}

static enum verdict hard_link_to_program(void) {
    unlink("/workspace/hard");
    int result = link("/usr/bin/passwd", "/workspace/hard");
    if (result < 0 && (errno == EXDEV || errno == EPERM || errno == ENOENT)) {
        say("%s", strerror(errno));
        return HELD;
    }
    return refused(result);
}

static enum verdict create(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file >= 0) unlink(path);
    return unreachable(file);
}
static enum verdict write_usr(void) { return create("/usr/attack"); }
static enum verdict write_usr_bin(void) { return create("/usr/bin/attack"); }
static enum verdict write_local(void) { return create("/usr/local/bin/attack"); }
static enum verdict write_lib(void) { return create("/lib/attack"); }
static enum verdict write_etc(void) { return create("/etc/attack"); }
static enum verdict write_root(void) { return create("/attack"); }
static enum verdict write_dev(void) { return create("/dev/attack"); }
static enum verdict write_var(void) { return create("/var/attack"); }
static enum verdict write_run(void) { return create("/run/attack"); }
static enum verdict write_settings(void) { return create("/etc/claude-code/managed-settings.json"); }
static enum verdict write_passwd(void) { return try_open("/etc/passwd", O_WRONLY); }
static enum verdict write_shell(void) { return try_open("/bin/sh", O_WRONLY); }
static enum verdict write_init(void) { return try_open("/proc/1/exe", O_WRONLY); }
static enum verdict read_init(void) { return try_open("/proc/1/exe", O_RDONLY); }
static enum verdict rename_etc(void) { return unreachable(rename("/etc", "/etc-old")); }
static enum verdict chmod_usr(void) { return unreachable(chmod("/usr", 0777)); }

static enum verdict unmask_by_rename(void) { return unreachable(rename("/run/rookery", "/run/gone")); }

static enum verdict shadow(void) { return try_open("/etc/shadow", O_RDONLY); }
static enum verdict root_home(void) { return try_open("/root", O_RDONLY); }
static enum verdict ssh_keys(void) { return try_open("/etc/ssh/ssh_host_ed25519_key", O_RDONLY); }
static enum verdict tls_keys(void) { return try_open("/etc/ssl/private", O_RDONLY); }
static enum verdict host_state(void) { return try_open("/var/lib/dpkg", O_RDONLY); }
static enum verdict host_logs(void) { return try_open("/var/log", O_RDONLY); }
static enum verdict boot_files(void) { return try_open("/boot", O_RDONLY); }
static enum verdict host_home(void) {
    DIR *directory = opendir("/home");
    if (directory == NULL) return unreachable(-1);
    enum verdict verdict = HELD;
    struct dirent *entry;
    say("only the own one");
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "agent") == 0) continue;
        say("/home/%s is shown", entry->d_name);
        verdict = BREACH;
    }
    closedir(directory);
    return verdict;
}

static enum verdict foreign_share(void) {
    if (targets.share[0] == '\0') return ABSENT;
    return try_open(targets.share, O_RDONLY);
}

static enum verdict sockets_of_services(void) {
    static const char *const paths[] = {
        "/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/dbus/system_bus_socket",
        "/run/systemd/private", "/run/systemd/notify", "/run/podman/podman.sock", "/run/rookery/launcher.sock"};
    for (size_t index = 0; index < COUNT(paths); index++) {
        if (access(paths[index], F_OK) == 0) {
            say("%s", paths[index]);
            return BREACH;
        }
    }
    say("none there");
    return HELD;
}

static enum verdict host_memory_file(void) {
    if (targets.memory[0] == '\0') return ABSENT;
    char path[128];
    snprintf(path, sizeof path, "/dev/shm/%s", targets.memory);
    return try_open(path, O_RDWR);
}

static unsigned handle[32] = {8, 1, 2};

static const struct call calls[] = {
    {"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, (long)handle, O_RDONLY}},
    {"name_to_handle_at", SYS_name_to_handle_at, {AT_FDCWD, (long)"/", (long)handle, (long)handle, 0}},
    {"chroot", SYS_chroot, {(long)"/workspace"}},
    {"fanotify_init", SYS_fanotify_init, {0, 0}},
};

static const struct probe probes[] = {
    {"another tenant's file by its path", "not there", host_file},
    {"write another tenant's file", "not there", host_file_write},
    {"climb above the root", "not there", climbing},
    {"climb above the workspace", "not there", workspace_climbing},
    {"through /proc/1/root", "refused", init_root},
    {"through /proc/1/cwd", "refused", init_directory},
    {"through /proc/self/root", "not there", own_root},
    {"through /proc/1/fd", "refused", init_descriptors},
    {"symbolic link out of the workspace", "leads nowhere", symbolic_link},
    {"leaked directory descriptor", "none", magic_link_out},
    {"inherited descriptors", "none", inherited_descriptors},
    {"kinds of the standard streams", "nothing of the host", stream_kinds},
    {"hard link to a setuid program", "refused", hard_link_to_program},
    {"write /usr", "read-only", write_usr},
    {"write /usr/bin", "read-only", write_usr_bin},
    {"write /usr/local/bin", "read-only", write_local},
    {"write /lib", "read-only", write_lib},
    {"write /etc", "read-only", write_etc},
    {"write /", "read-only", write_root},
    {"write /dev", "read-only", write_dev},
    {"write /var", "read-only", write_var},
    {"write /run", "read-only", write_run},
    {"replace the managed settings", "read-only", write_settings},
    {"write /etc/passwd", "read-only", write_passwd},
    {"write /bin/sh", "read-only", write_shell},
    {"write pid 1's program (CVE-2019-5736)", "refused", write_init},
    {"read pid 1's program", "refused", read_init},
    {"rename /etc", "read-only", rename_etc},
    {"chmod /usr", "read-only", chmod_usr},
    {"rename what masks lie on", "read-only", unmask_by_rename},
    {"/etc/shadow", "not there", shadow},
    {"/root", "not there", root_home},
    {"ssh host key", "not there", ssh_keys},
    {"TLS private keys", "not there", tls_keys},
    {"/var/lib of the host", "not there", host_state},
    {"/var/log of the host", "not there", host_logs},
    {"/boot", "not there", boot_files},
    {"other homes", "not there", host_home},
    {"a file below /usr of the host's uid 1000", "refused", foreign_share},
    {"sockets of host services", "not there", sockets_of_services},
    {"the host's /dev/shm", "not there", host_memory_file},
};

const struct family files = {"files", probes, COUNT(probes), calls, COUNT(calls)};
