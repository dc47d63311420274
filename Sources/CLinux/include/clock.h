#ifndef ROOKERY_CLOCK_H
#define ROOKERY_CLOCK_H

/// Whether the kernel takes the wall clock to be synchronised (adjtimex(2)): 1, 0, or -errno when it may not be asked.
int rk_clock_synchronised(void);

#endif
