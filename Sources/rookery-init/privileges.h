#ifndef ROOKERY_PRIVILEGES_H
#define ROOKERY_PRIVILEGES_H

#include <stdint.h>

// Each returns 0, or -1 with errno.

/// Takes every capability but these (a bit per number) out of the bounding set.
int drop_bounding_set(uint64_t kept);

/// Uid 0 means nothing any more, neither at exec nor at a change of ids; capabilities stay over the next change.
int open_securebits(void);

/// The same for good: nobody can turn it back, nor keep or pass on capabilities in another way.
int lock_securebits(void);

/// After a change of ids under ``open_securebits``: keeps exactly these over exec too, as ambient ones, and locks.
int pass_on_capabilities(uint64_t capabilities);

/// Keeps exactly these capabilities (a bit per number) as permitted and effective, none as inheritable or ambient.
int keep_capabilities(uint64_t capabilities);

/// Installs the seccomp filter whose BPF program `memory` holds. Needs no_new_privs.
int install_filter(int memory);

/// The same for a program that leaves calls to be answered by somebody: returns the listener.
int install_filter_with_listener(int memory);

#endif
