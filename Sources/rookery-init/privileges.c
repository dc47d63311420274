#include "privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int drop_bounding_set(void) {
    for (unsigned long capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
        // The first number that the kernel does not know ends the list; at least one was there.
        return errno == EINVAL && capability > 0 ? 0 : -1;
    }
    return 0;
}

int keep_capabilities(uint64_t capabilities) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities},
        {.effective = (uint32_t)(capabilities >> 32), .permitted = (uint32_t)(capabilities >> 32)},
    };
    return (int)syscall(SYS_capset, &header, data);
}

int install_filter(int memory) {
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
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}
