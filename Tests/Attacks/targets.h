#ifndef ROOKERY_ATTACKS_TARGETS_H
#define ROOKERY_ATTACKS_TARGETS_H

#include <stddef.h>

/// Takes `name=value` arguments; -1 at the first that is none.
int read_targets(char **arguments);

/// The targets as `name=value`, into at most `capacity` strings that live as long as the process. How many they are.
size_t write_targets(char **arguments, size_t capacity);

#endif
