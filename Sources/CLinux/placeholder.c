#include "CLinux.h"
int rk_version(void) { return 1; }
