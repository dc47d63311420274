#ifndef ROOKERY_STEPS_H
#define ROOKERY_STEPS_H

#include "plan.h"

// The steps of a plan. Each takes its arguments as plan.h and the table in plan.c say, and returns 0, or -1 with errno.

// identity.c
int step_time(struct launch *launch, char **arguments);
int step_identity(struct launch *launch, char **arguments);
int step_hostname(struct launch *launch, char **arguments);
int step_keyring(struct launch *launch, char **arguments);
int step_limit(struct launch *launch, char **arguments);
int step_privileges(struct launch *launch, char **arguments);

// mounts.c
int step_private(struct launch *launch, char **arguments);
int step_pin(struct launch *launch, char **arguments);
int step_clone(struct launch *launch, char **arguments);
int step_attach(struct launch *launch, char **arguments);
int step_root(struct launch *launch, char **arguments);
int step_prepared(struct launch *launch, char **arguments);
int step_tmpfs(struct launch *launch, char **arguments);
int step_proc(struct launch *launch, char **arguments);
int step_mask(struct launch *launch, char **arguments);
int step_pivot(struct launch *launch, char **arguments);
int step_read_only(struct launch *launch, char **arguments);

// overlay.c
int step_overlay(struct launch *launch, char **arguments);
int step_detach(struct launch *launch, char **arguments);

// files.c
int step_directory(struct launch *launch, char **arguments);
int step_symlink(struct launch *launch, char **arguments);
int step_file(struct launch *launch, char **arguments);

// devices.c
int step_device(struct launch *launch, char **arguments);
int step_terminal(struct launch *launch, char **arguments);

// network.c
int step_network(struct launch *launch, char **arguments);
int step_loopback(struct launch *launch, char **arguments);

// landlock.c
int step_landlock(struct launch *launch, char **arguments);

// command.c
int step_argument(struct launch *launch, char **arguments);
int step_environment(struct launch *launch, char **arguments);
int step_work_directory(struct launch *launch, char **arguments);
int step_streams(struct launch *launch, char **arguments);

// Shared by them.

/// A decimal number, checked; -1 with EINVAL when `text` is anything else or above `most`.
long long number(const char *text, long long most);
/// An octal mode, or -1 with EINVAL.
int mode(const char *text);
/// The path relative to the new root, in which the steps before `pivot` work: `/usr` is `usr`, `/` is `.`.
const char *inside(const char *path);

#endif
