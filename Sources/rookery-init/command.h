#ifndef ROOKERY_COMMAND_H
#define ROOKERY_COMMAND_H

#include <sys/types.h>

#include "plan.h"

/// Forks the session's command: a session of its own on the terminal, uid and gid 1000, no capability, the filter
/// installed last; then it waits for "go". What fails on the way is told to the launcher. Returns the command's pid, which
/// leads its process group.
pid_t start_command(struct launch *launch);

#endif
