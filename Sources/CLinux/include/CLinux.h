#ifndef ROOKERY_CLINUX_H
#define ROOKERY_CLINUX_H

/// The Linux calls that Swift's Glibc module lacks. One convention throughout: a function returns zero or a useful
/// value on success and `-errno` on failure; `errno` itself is left alone for nobody to read.

#include "attributes.h"
#include "beneath.h"
#include "checksum.h"
#include "clock.h"
#include "confine.h"
#include "descriptors.h"
#include "disk.h"
#include "idmap.h"
#include "images.h"
#include "memory_tree.h"
#include "mounts.h"
#include "notifications.h"
#include "peer.h"
#include "preallocate.h"
#include "privileges.h"
#include "scheduling.h"
#include "seqpacket.h"
#include "spawn.h"
#include "terminal.h"

#endif
