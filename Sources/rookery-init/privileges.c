#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int drop_bounding_set(uint64_t kept) {
    for (unsigned long capability = 0; capability < 64; capability++) {
        if ((kept >> capability & 1) != 0) continue;
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        // The first number that the kernel does not know ends the list; at least one was there.
        return errno == EINVAL && capability > 0 ? 0 : -1;
    }
    return 0;
}

int open_securebits(void) {
    return prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS, 0, 0, 0);
}

int lock_securebits(void) {
    unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                         SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0);
}

static int set_capabilities(uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)permitted, .permitted = (uint32_t)permitted, .inheritable = (uint32_t)inheritable},
        {.effective = (uint32_t)(permitted >> 32),
         .permitted = (uint32_t)(permitted >> 32),
         .inheritable = (uint32_t)(inheritable >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

int keep_capabilities(uint64_t capabilities) { return set_capabilities(capabilities, 0); }

int pass_on_capabilities(uint64_t capabilities) {
    // CAP_SETPCAP for the lock, and then no more.
    if (set_capabilities(capabilities | 1ULL << CAP_SETPCAP, capabilities) != 0) return -1;
    for (unsigned long capability = 0; capability < 64; capability++) {
        if ((capabilities >> capability & 1) == 0) continue;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0) return -1;
    }
    if (lock_securebits() != 0) return -1;
    return set_capabilities(capabilities, capabilities);
}

static int load_filter(int memory, unsigned flags) {
    struct stat status;
    if (fstat(memory, &status) != 0) return -1;
    size_t size = (size_t)status.st_size;
    if (size == 0 || size % sizeof(struct sock_filter) != 0 || size / sizeof(struct sock_filter) > BPF_MAXINSNS) {
        errno = EINVAL;
        return -1;
    }
    struct sock_filter *code = mmap(NULL, size, PROT_READ, MAP_PRIVATE, memory, 0);
    if (code == MAP_FAILED) return -1;
    struct sock_fprog program = {.len = (unsigned short)(size / sizeof(struct sock_filter)), .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int install_filter(int memory) { return load_filter(memory, 0); }

int install_filter_with_listener(int memory) { return load_filter(memory, SECCOMP_FILTER_FLAG_NEW_LISTENER); }
