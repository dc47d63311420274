#ifndef ROOKERY_CLINUX_H
#define ROOKERY_CLINUX_H
int rk_version(void);
#endif
