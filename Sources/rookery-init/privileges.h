#ifndef ROOKERY_PRIVILEGES_H
#define ROOKERY_PRIVILEGES_H

#include <stdint.h>

// Each returns 0, or -1 with errno.

/// Takes every capability out of the bounding set.
int drop_bounding_set(void);

/// Keeps exactly these capabilities (a bit per number) as permitted and effective, none as inheritable or ambient.
int keep_capabilities(uint64_t capabilities);

/// Installs the seccomp filter whose BPF program `memory` holds. Needs no_new_privs.
int install_filter(int memory);

#endif
