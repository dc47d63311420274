#include "clock.h"

#include <errno.h>
#include <sys/timex.h>

int rk_clock_synchronised(void) {
    struct timex question = {.modes = 0};
    int state = adjtimex(&question);
    return state < 0 ? -errno : state != TIME_ERROR;
}
