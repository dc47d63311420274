#ifndef ROOKERY_ATTACKS_OUTSIDE_H
#define ROOKERY_ATTACKS_OUTSIDE_H

/// Options and the command; see main.c.
int run_outside(char **arguments);

#endif
