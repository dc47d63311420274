#ifndef ROOKERY_ATTACKS_INSIDE_H
#define ROOKERY_ATTACKS_INSIDE_H

/// Runs all probes; 0, or 1 when there was a breach.
int run_inside(void);

#endif
