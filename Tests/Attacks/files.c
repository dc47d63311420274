#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
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

static enum verdict write_only(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    // /dev/null may lie over it: what counts is what reads back.
    ssize_t written = write(file, text, strlen(text));
    int error = errno;
    close(file);
    struct stat status, null;
    if (stat(path, &status) == 0 && stat("/dev/null", &null) == 0 && status.st_rdev == null.st_rdev &&
        S_ISCHR(status.st_mode)) {
        say("covered");
        return HELD;
    }
    errno = error;
    return unreachable(written);
}
static enum verdict core_pattern(void) { return write_only("/proc/sys/kernel/core_pattern", "|/workspace/x"); }
static enum verdict modprobe(void) { return write_only("/proc/sys/kernel/modprobe", "/workspace/x"); }
static enum verdict sysrq(void) { return write_only("/proc/sysrq-trigger", "h"); }
static enum verdict sys_hostname(void) { return write_only("/proc/sys/kernel/hostname", "attacked"); }
static enum verdict drop_caches(void) { return write_only("/proc/sys/vm/drop_caches", "1"); }
static enum verdict overcommit(void) { return write_only("/proc/sys/vm/overcommit_memory", "1"); }
static enum verdict ip_forward(void) { return write_only("/proc/sys/net/ipv4/ip_forward", "1"); }
static enum verdict last_pid(void) { return write_only("/proc/sys/kernel/ns_last_pid", "300"); }
static enum verdict msgmax(void) { return write_only("/proc/sys/kernel/msgmax", "8193"); }
static enum verdict max_namespaces(void) { return write_only("/proc/sys/user/max_user_namespaces", "1"); }
static enum verdict binfmt(void) { return write_only("/proc/sys/fs/binfmt_misc/register", ":x:E::x::/workspace/x:"); }
static enum verdict uevent_program(void) { return write_only("/sys/kernel/uevent_helper", "/workspace/x"); }
static enum verdict power_state(void) { return write_only("/sys/power/state", "x"); }
static enum verdict oom_adjust(void) { return write_only("/proc/self/oom_score_adj", "-1000"); }
static enum verdict own_uid_map(void) { return write_only("/proc/self/uid_map", "0 0 1"); }
static enum verdict own_coredump(void) { return write_only("/proc/self/coredump_filter", "0xff"); }
static enum verdict mtrr(void) { return write_only("/proc/mtrr", "disable=0"); }
static enum verdict scsi(void) { return write_only("/proc/scsi/scsi", "scan-new-devices"); }
static enum verdict timens(void) { return write_only("/proc/self/timens_offsets", "boottime 1 0"); }
static enum verdict cgroup_procs(void) { return write_only("/sys/fs/cgroup/cgroup.procs", "0"); }
static enum verdict cgroup_release(void) { return write_only("/sys/fs/cgroup/pids/release_agent", "/workspace/x"); }

static enum verdict kcore(void) {
    char bytes[64];
    int file = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
    if (file < 0) return unreachable(file);
    ssize_t count = read(file, bytes, sizeof bytes);
    close(file);
    say("%zd bytes", count);
    return count > 0 ? BREACH : HELD;
}

static enum verdict readable(const char *path) {
    char text[256];
    long count = read_text(path, text, sizeof text);
    if (count < 0) return unreachable(-1);
    say("%ld bytes", count);
    return count > 0 ? BREACH : HELD;
}
static enum verdict kallsyms(void) { return readable("/proc/kallsyms"); }
static enum verdict kmsg(void) { return readable("/proc/kmsg"); }
static enum verdict key_list(void) { return readable("/proc/keys"); }
static enum verdict kernel_command_line(void) { return readable("/proc/cmdline"); }
static enum verdict kernel_configuration(void) { return readable("/proc/config.gz"); }

static enum verdict sysfs(void) {
    DIR *directory = opendir("/sys");
    if (directory == NULL) return unreachable(-1);
    int count = 0;
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    say("%d entries", count);
    return count > 2 ? BREACH : HELD;
}

static enum verdict set_capability_attribute(void) {
    int file = open("/workspace/capable", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (file < 0) return ABSENT;
    // VFS_CAP_REVISION_2, effective, every capability.
    static const unsigned char value[20] = {1, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 255, 255, 255};
    int result = fsetxattr(file, "security.capability", value, sizeof value, 0);
    close(file);
    return refused(result);
}

static enum verdict set_trusted_attribute(void) {
    int file = open("/workspace/trusted", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return ABSENT;
    int result = fsetxattr(file, "trusted.overlay.opaque", "y", 1, 0);
    close(file);
    return refused(result);
}

static enum verdict setuid_ignored(void) {
    static const char *const places[] = {"/", "/usr", "/workspace", "/home/agent", "/tmp", "/dev/shm"};
    for (size_t index = 0; index < COUNT(places); index++) {
        struct statvfs status;
        if (statvfs(places[index], &status) != 0) continue;
        if ((status.f_flag & ST_NOSUID) == 0) {
            say("%s is mounted with setuid", places[index]);
            return BREACH;
        }
    }
    say("every mount is nosuid");
    return HELD;
}

static enum verdict devices_ignored(void) {
    static const char *const places[] = {"/", "/usr", "/workspace", "/home/agent", "/tmp", "/dev/shm"};
    for (size_t index = 0; index < COUNT(places); index++) {
        struct statvfs status;
        if (statvfs(places[index], &status) == 0 && (status.f_flag & ST_NODEV) == 0) {
            say("%s is mounted with devices", places[index]);
            return BREACH;
        }
    }
    say("every mount is nodev");
    return HELD;
}

static enum verdict quota_escape(void) {
    int directory = open("/workspace", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return ABSENT;
    char attributes[28] = {0};
    // FS_IOC_FSSETXATTR with another project, by which a quota is left.
    attributes[12] = 1;
    int result = ioctl(directory, 0x401c5820, attributes);
    close(directory);
    return refused(result);
}

static enum verdict immutable(void) {
    int file = open("/workspace/immutable", O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return ABSENT;
    long flags = 0x10; /* FS_IMMUTABLE_FL */
    int result = ioctl(file, 0x40086602, &flags);
    if (result < 0 && errno == ENOTTY) errno = EPERM;  // a filesystem without such flags
    close(file);
    return refused(result);
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
    {"quotactl", SYS_quotactl, {0x80000700, 0, 0, 0}},
    {"quotactl_fd", SYS_quotactl_fd, {0, 0x80000700, 0, 0}},
    {"fanotify_init", SYS_fanotify_init, {0, 0}},
    {"file_setattr", 469, {AT_FDCWD, (long)"/workspace", (long)handle, 24, 0}},
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
    {"core_pattern", "read-only", core_pattern},
    {"modprobe path", "read-only", modprobe},
    {"sysrq", "covered", sysrq},
    {"hostname by sysctl", "read-only", sys_hostname},
    {"drop_caches", "read-only", drop_caches},
    {"overcommit_memory", "read-only", overcommit},
    {"ip_forward", "read-only", ip_forward},
    {"ns_last_pid", "read-only", last_pid},
    {"msgmax", "read-only", msgmax},
    {"max_user_namespaces", "read-only", max_namespaces},
    {"binfmt_misc", "not there", binfmt},
    {"uevent_helper", "not there", uevent_program},
    {"power state", "not there", power_state},
    {"own oom_score_adj", "read-only", oom_adjust},
    {"own uid_map", "read-only", own_uid_map},
    {"own coredump_filter", "read-only", own_coredump},
    {"mtrr", "covered", mtrr},
    {"scsi", "covered", scsi},
    {"own timens_offsets", "read-only", timens},
    {"cgroup.procs", "not there", cgroup_procs},
    {"release_agent (CVE-2022-0492)", "not there", cgroup_release},
    {"/proc/kcore", "covered", kcore},
    {"/proc/kallsyms", "covered", kallsyms},
    {"/proc/kmsg", "covered", kmsg},
    {"/proc/keys", "covered", key_list},
    {"/proc/cmdline", "covered", kernel_command_line},
    {"/proc/config.gz", "covered", kernel_configuration},
    {"/sys", "not there", sysfs},
    {"file capabilities", "refused", set_capability_attribute},
    {"trusted attributes", "refused", set_trusted_attribute},
    {"setuid programs", "have no effect", setuid_ignored},
    {"device nodes", "have no effect", devices_ignored},
    {"leave a project quota", "refused", quota_escape},
    {"immutable file", "refused", immutable},
    {"the host's /dev/shm", "not there", host_memory_file},
};

const struct family files = {"files", probes, COUNT(probes), calls, COUNT(calls)};
