#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

/// HELD when the file does not hold the text.
static enum verdict tells(const char *path, const char *secret) {
    if (secret[0] == '\0') return ABSENT;
    char text[65536];
    if (read_text(path, text, sizeof text) < 0) return unreachable(-1);
    bool there = strstr(text, secret) != NULL;
    say("%s", there ? "told" : "not told");
    return there ? BREACH : HELD;
}

static enum verdict host_name(void) {
    struct utsname name;
    if (targets.hostname[0] == '\0' || uname(&name) != 0) return ABSENT;
    say("%s", name.nodename);
    return strcmp(name.nodename, targets.hostname) == 0 ? BREACH : HELD;
}
static enum verdict name_file(void) { return tells("/etc/hostname", targets.hostname); }
static enum verdict hosts_file(void) {
    // A short name of a host is a part of many words.
    return strlen(targets.hostname) < 4 ? ABSENT : tells("/etc/hosts", targets.hostname);
}
static enum verdict machine(void) { return tells("/etc/machine-id", targets.machine); }
static enum verdict boot(void) { return tells("/proc/sys/kernel/random/boot_id", targets.boot); }
static enum verdict mount_sources(void) {
    // A workspace that is a directory of the host's filesystem, and not a filesystem of its own, is named there.
    return tells("/proc/self/mountinfo", targets.parent) == BREACH ? KNOWN : HELD;
}
static enum verdict mounts_file(void) { return tells("/proc/self/mounts", targets.parent); }
static enum verdict mount_statistics(void) { return tells("/proc/self/mountstats", targets.parent); }

/// Seconds since the boot that may be seen inside: as if the host had just started.
static enum verdict young(double seconds) {
    double host = atof(targets.uptime);
    say("%.0f s, the host's %.0f s", seconds, host);
    if (host < 300) return ABSENT;
    return seconds < host - 120 ? HELD : BREACH;
}
static enum verdict uptime_file(void) {
    char text[64];
    if (read_text("/proc/uptime", text, sizeof text) < 0) return unreachable(-1);
    return young(atof(text));
}
static enum verdict clock_of(clockid_t which) {
    struct timespec now;
    if (clock_gettime(which, &now) != 0) return unreachable(-1);
    return young((double)now.tv_sec);
}
static enum verdict boot_clock(void) { return clock_of(CLOCK_BOOTTIME); }
static enum verdict monotonic_clock(void) { return clock_of(CLOCK_MONOTONIC); }
static enum verdict raw_clock(void) { return clock_of(CLOCK_MONOTONIC_RAW); }
static enum verdict system_information(void) {
    struct sysinfo information;
    if (sysinfo(&information) != 0) return refused(-1);
    return young((double)information.uptime);
}
static enum verdict boot_time(void) {
    char text[65536];
    if (read_text("/proc/stat", text, sizeof text) < 0) return unreachable(-1);
    char *line = strstr(text, "btime ");
    if (line == NULL) return HELD;
    return young((double)(time(NULL) - atol(line + 6)));
}

static enum verdict memory_of_host(void) {
    char text[8192];
    if (read_text("/proc/meminfo", text, sizeof text) < 0) return unreachable(-1);
    struct sysinfo information;
    if (sysinfo(&information) != 0) return HELD;
    char *line = strstr(text, "MemTotal:");
    unsigned long total = line == NULL ? 0 : strtoul(line + 9, NULL, 10);
    unsigned long host = information.totalram / 1024 * information.mem_unit;
    say("%lu KiB", total);
    return total == host ? BREACH : HELD;
}

static enum verdict counters(void) {
    char text[65536];
    if (read_text("/proc/stat", text, sizeof text) < 0) return unreachable(-1);
    unsigned long user = 0;
    sscanf(text, "cpu %lu", &user);
    say("%lu ticks of all users", user);
    return user == 0 ? HELD : BREACH;
}

static enum verdict system_load(void) {
    struct sysinfo information;
    if (sysinfo(&information) != 0) return refused(-1);
    say("load %.2f, memory and processes of the host", (double)information.loads[0] / 65536);
    return KNOWN;
}

static enum verdict processor(void) {
    char text[4096];
    if (read_text("/proc/cpuinfo", text, sizeof text) <= 0) return HELD;
    say("the processor's model");
    return KNOWN;
}

static enum verdict kernel_version(void) {
    struct utsname name;
    if (uname(&name) != 0) return ABSENT;
    say("%.60s", name.release);
    return KNOWN;
}

static enum verdict empty_file(const char *path) {
    char text[512];
    long count = read_text(path, text, sizeof text);
    if (count < 0) return unreachable(-1);
    say("%ld bytes", count);
    return count > 0 ? BREACH : HELD;
}
static enum verdict disks(void) { return empty_file("/proc/diskstats"); }
static enum verdict partitions(void) { return empty_file("/proc/partitions"); }
static enum verdict interrupts(void) { return empty_file("/proc/interrupts"); }
static enum verdict memory_counters(void) { return empty_file("/proc/vmstat"); }
static enum verdict zones(void) { return empty_file("/proc/zoneinfo"); }
static enum verdict scheduler(void) { return empty_file("/proc/schedstat"); }
static enum verdict modules(void) { return empty_file("/proc/modules"); }
static enum verdict swaps(void) { return empty_file("/proc/swaps"); }
static enum verdict locks(void) { return empty_file("/proc/locks"); }
static enum verdict slabs(void) { return empty_file("/proc/slabinfo"); }
static enum verdict cgroup_list(void) { return empty_file("/proc/cgroups"); }
static enum verdict filesystem_list(void) {
    return read_text("/proc/filesystems", (char[4096]){0}, 4096) > 0 ? KNOWN : HELD;
}
static enum verdict load_file(void) {
    char text[128];
    if (read_text("/proc/loadavg", text, sizeof text) < 0) return unreachable(-1);
    say("%.40s", text);
    return strncmp(text, "0.00 0.00 0.00", 14) == 0 ? HELD : BREACH;
}
static enum verdict pressure(void) { return try_open("/proc/pressure/cpu", O_RDONLY); }
static enum verdict dmi(void) { return try_open("/sys/class/dmi/id/product_uuid", O_RDONLY); }

static enum verdict cgroup_path(void) {
    char text[4096];
    if (read_text("/proc/self/cgroup", text, sizeof text) < 0) return unreachable(-1);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *path = strrchr(line, ':');
        if (path == NULL || strcmp(path, ":/") == 0) continue;
        say("%.100s", line);
        return BREACH;
    }
    say("/");
    return HELD;
}

static enum verdict environment(void) {
    static const char *const host_names[] = {"SSH_", "SUDO_", "LD_", "DBUS_", "XDG_", "ROOKERY_", "TMPDIR", "OLDPWD"};
    for (char **entry = environ; *entry != NULL; entry++) {
        for (size_t index = 0; index < COUNT(host_names); index++) {
            if (strncmp(*entry, host_names[index], strlen(host_names[index])) != 0) continue;
            if (strncmp(*entry, "XDG_RUNTIME_DIR=/run/user/1000", 30) == 0) continue;
            say("%.60s", *entry);
            return BREACH;
        }
    }
    say("only the session's");
    return HELD;
}

static enum verdict own_number(void) {
    say("pid %d", getpid());
    // A namespace of its own begins at 1; this program and its probes use some hundreds.
    return getpid() < 20000 ? HELD : BREACH;
}

static enum verdict mask(void) {
    char text[4096];
    if (read_text("/proc/self/status", text, sizeof text) < 0) return ABSENT;
    char *line = strstr(text, "Umask:");
    say("%.14s", line == NULL ? "?" : line);
    return line != NULL && strtol(line + 6, NULL, 8) == 022 ? HELD : BREACH;
}

static enum verdict signals(void) {
    char text[4096];
    if (read_text("/proc/self/status", text, sizeof text) < 0) return ABSENT;
    char *ignored = strstr(text, "SigIgn:");
    unsigned long bits = ignored == NULL ? 0 : strtoul(ignored + 7, NULL, 16);
    say("ignored: %#lx", bits);
    return bits == 0 ? HELD : BREACH;
}

static const struct probe probes[] = {
    {"the host's name", "own", host_name},
    {"/etc/hostname", "own", name_file},
    {"/etc/hosts", "own", hosts_file},
    {"machine-id", "own", machine},
    {"boot_id", "own", boot},
    {"host paths in mountinfo", "documented", mount_sources},
    {"host paths in mounts", "not told", mounts_file},
    {"host paths in mountstats", "not told", mount_statistics},
    {"/proc/uptime", "own", uptime_file},
    {"CLOCK_BOOTTIME", "own", boot_clock},
    {"CLOCK_MONOTONIC", "own", monotonic_clock},
    {"CLOCK_MONOTONIC_RAW", "own", raw_clock},
    {"uptime by sysinfo", "own", system_information},
    {"boot time in /proc/stat", "own", boot_time},
    {"memory of the host in meminfo", "the session's", memory_of_host},
    {"processor counters in /proc/stat", "none", counters},
    {"load by sysinfo", "documented", system_load},
    {"model of the processor", "documented", processor},
    {"version of the kernel", "documented", kernel_version},
    {"/proc/filesystems", "documented", filesystem_list},
    {"/proc/loadavg", "none", load_file},
    {"/proc/pressure", "covered", pressure},
    {"/proc/diskstats", "covered", disks},
    {"/proc/partitions", "covered", partitions},
    {"/proc/interrupts", "covered", interrupts},
    {"/proc/vmstat", "covered", memory_counters},
    {"/proc/zoneinfo", "covered", zones},
    {"/proc/schedstat", "covered", scheduler},
    {"/proc/modules", "covered", modules},
    {"/proc/swaps", "covered", swaps},
    {"/proc/locks", "covered", locks},
    {"/proc/slabinfo", "covered", slabs},
    {"/proc/cgroups", "covered", cgroup_list},
    {"DMI", "not there", dmi},
    {"cgroup path", "/", cgroup_path},
    {"environment of the launcher", "not told", environment},
    {"own pid", "small", own_number},
    {"umask", "022", mask},
    {"ignored signals", "none", signals},
};

const struct family fingerprints = {"fingerprints", probes, COUNT(probes), NULL, 0};
