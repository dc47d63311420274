#ifndef ROOKERY_CLINUX_H
#define ROOKERY_CLINUX_H
#include "peer.h"
int rk_version(void);
#endif
