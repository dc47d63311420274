#ifndef ROOKERY_MEMORY_TREE_H
#define ROOKERY_MEMORY_TREE_H

// Every function returns >= 0 on success and -errno on failure. Every descriptor made here closes on exec.

/// A new, empty tmpfs as a detached mount without set-user-id and devices (fsmount(2)); `bytes` and `inodes` in decimal.
/// `context` becomes a descriptor for rk_seal_memory_tree().
int rk_memory_tree(const char *bytes, const char *inodes, int *context);

/// Makes the filesystem itself read-only, whatever its mounts say: nobody can write it from here on.
int rk_seal_memory_tree(int context);

#endif
