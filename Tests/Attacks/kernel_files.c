#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

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

static const struct probe probes[] = {
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
};

const struct family kernel_files = {"kernel files", probes, COUNT(probes), NULL, 0};
