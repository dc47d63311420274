#ifndef ROOKERY_IDMAP_H
#define ROOKERY_IDMAP_H

#include <stdint.h>

/// A user namespace that no process is in, which maps one uid and one gid: for an idmapped mount (mount_setattr(2)) that
/// shows files of `file_uid` and `file_gid` as those of `shown_uid` and `shown_gid`, and takes them so. Needs CAP_SETUID
/// and CAP_SETGID. Returns a descriptor that closes on exec, or `-errno`.
int rk_single_id_namespace(uint32_t file_uid, uint32_t shown_uid, uint32_t file_gid, uint32_t shown_gid);

#endif
