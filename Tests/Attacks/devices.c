#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "probe.h"

static enum verdict make(mode_t kind, unsigned major_number, unsigned minor_number, const char *directory) {
    char path[128];
    snprintf(path, sizeof path, "%s/node", directory);
    unlink(path);
    int result = mknod(path, kind | 0666, makedev(major_number, minor_number));
    if (result == 0) {
        // Made, but of use only when it opens.
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (file >= 0) return refused(file);
        unlink(path);
        errno = EPERM;
        result = -1;
    }
    return refused(result);
}
static enum verdict make_memory(void) { return make(S_IFCHR, 1, 1, "/workspace"); }
static enum verdict make_log(void) { return make(S_IFCHR, 1, 11, "/tmp"); }
static enum verdict make_disk(void) { return make(S_IFBLK, 254, 0, "/workspace"); }
static enum verdict make_loop(void) { return make(S_IFBLK, 7, 0, "/dev/shm"); }
static enum verdict make_null(void) { return make(S_IFCHR, 1, 3, "/home/agent"); }
static enum verdict make_overlay_whiteout(void) { return make(S_IFCHR, 0, 0, "/workspace") == BREACH ? BREACH : HELD; }

static enum verdict only_the_usual(void) {
    static const char *const usual[] = {".",      "..",   "null",   "zero",   "full", "random", "urandom", "tty", "pts",
                                        "ptmx",   "shm",  "fd",     "stdin",  "stdout", "stderr", "console", "core", "mqueue"};
    DIR *directory = opendir("/dev");
    if (directory == NULL) return ABSENT;
    struct dirent *entry;
    enum verdict verdict = HELD;
    say("nothing else");
    while ((entry = readdir(directory)) != NULL) {
        bool known = false;
        for (size_t index = 0; index < COUNT(usual); index++) known |= strcmp(usual[index], entry->d_name) == 0;
        if (known) continue;
        say("/dev/%s", entry->d_name);
        verdict = BREACH;
    }
    closedir(directory);
    return verdict;
}

static enum verdict zero_is_zero(void) {
    struct stat status;
    if (stat("/dev/null", &status) != 0) return ABSENT;
    say("major %u minor %u", major(status.st_rdev), minor(status.st_rdev));
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3) ? HELD : BREACH;
}

static enum verdict unlink_null(void) { return unreachable(unlink("/dev/null")); }
static enum verdict chmod_null(void) { return unreachable(chmod("/dev/null", 0600)); }

#define NODE(function, path, flags) \
    static enum verdict function(void) { return try_open(path, flags); }
NODE(memory, "/dev/mem", O_RDONLY)
NODE(port, "/dev/port", O_RDWR)
NODE(log_device, "/dev/kmsg", O_RDONLY)
NODE(disk, "/dev/vda", O_RDONLY)
NODE(disk_sda, "/dev/sda", O_RDONLY)
NODE(loop_control, "/dev/loop-control", O_RDWR)
NODE(loop, "/dev/loop0", O_RDONLY)
NODE(fuse, "/dev/fuse", O_RDWR)
NODE(kvm, "/dev/kvm", O_RDWR)
NODE(tun, "/dev/net/tun", O_RDWR)
NODE(vhost, "/dev/vhost-vsock", O_RDWR)
NODE(vsock, "/dev/vsock", O_RDONLY)
NODE(userfault, "/dev/userfaultfd", O_RDWR)
NODE(console, "/dev/console", O_RDWR)
NODE(first_console, "/dev/tty0", O_RDWR)
NODE(serial, "/dev/ttyS0", O_RDWR)
NODE(screen, "/dev/vcs", O_RDONLY)
NODE(snapshot, "/dev/snapshot", O_RDONLY)
NODE(mapper, "/dev/mapper/control", O_RDWR)
NODE(input, "/dev/input/event0", O_RDONLY)
NODE(hpet, "/dev/hpet", O_RDONLY)
NODE(watchdog, "/dev/watchdog", O_WRONLY)
NODE(autofs, "/dev/autofs", O_RDWR)
NODE(btrfs, "/dev/btrfs-control", O_RDWR)
NODE(clock, "/dev/rtc0", O_RDONLY)
NODE(msr, "/dev/cpu/0/msr", O_RDONLY)

static const struct probe probes[] = {
    {"make a node of /dev/mem", "refused", make_memory},
    {"make a node of /dev/kmsg", "refused", make_log},
    {"make a node of a disk", "refused", make_disk},
    {"make a node of a loop device", "refused", make_loop},
    {"make a node of /dev/null", "refused", make_null},
    {"make a whiteout", "no device", make_overlay_whiteout},
    {"/dev holds only the usual", "nothing else", only_the_usual},
    {"/dev/null is the real one", "1:3", zero_is_zero},
    {"remove /dev/null", "read-only", unlink_null},
    {"chmod /dev/null", "refused", chmod_null},
    {"/dev/mem", "not there", memory},
    {"/dev/port", "not there", port},
    {"/dev/kmsg", "not there", log_device},
    {"/dev/vda", "not there", disk},
    {"/dev/sda", "not there", disk_sda},
    {"/dev/loop-control", "not there", loop_control},
    {"/dev/loop0", "not there", loop},
    {"/dev/fuse", "not there", fuse},
    {"/dev/kvm", "not there", kvm},
    {"/dev/net/tun", "not there", tun},
    {"/dev/vhost-vsock", "not there", vhost},
    {"/dev/vsock", "not there", vsock},
    {"/dev/userfaultfd", "not there", userfault},
    {"/dev/console", "not there", console},
    {"/dev/tty0", "not there", first_console},
    {"/dev/ttyS0", "not there", serial},
    {"/dev/vcs", "not there", screen},
    {"/dev/snapshot", "not there", snapshot},
    {"/dev/mapper/control", "not there", mapper},
    {"/dev/input", "not there", input},
    {"/dev/hpet", "not there", hpet},
    {"/dev/watchdog", "not there", watchdog},
    {"/dev/autofs", "not there", autofs},
    {"/dev/btrfs-control", "not there", btrfs},
    {"/dev/rtc0", "not there", clock},
    {"/dev/cpu/0/msr", "not there", msr},
};

const struct family devices = {"devices", probes, COUNT(probes), NULL, 0};
