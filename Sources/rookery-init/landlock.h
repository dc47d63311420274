#ifndef ROOKERY_INIT_LANDLOCK_H
#define ROOKERY_INIT_LANDLOCK_H

#include "plan.h"

/// Restricts this process and all it starts to the places that the plan named, with the rights that this kernel knows;
/// signals and abstract sockets stay among them too. Without such steps in the plan nothing is done. Needs
/// no_new_privs. Returns 0, or -1 with errno.
int restrict_files(const struct launch *launch);

#endif
