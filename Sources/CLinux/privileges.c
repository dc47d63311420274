#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

// glibc's wrappers change every thread (nptl(7)); the bare system calls change one.
int rk_become(uid_t uid, gid_t gid) {
    if (setgroups(0, NULL) != 0) return -errno;
    if (setresgid(gid, gid, gid) != 0) return -errno;
    if (setresuid(uid, uid, uid) != 0) return -errno;

    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0) return -errno;
    for (int i = 0; i < 3; i++) {
        if (uids[i] != uid || gids[i] != gid) return -ENOTRECOVERABLE;
    }
    if (getgroups(0, NULL) != 0) return -ENOTRECOVERABLE;
    if (uid != 0 && (setuid(0) == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setgid(0) == 0)) return -ENOTRECOVERABLE;
    return 0;
}

int rk_gains_privileges(const char *program) {
    struct stat file;
    struct statvfs system;
    int refused = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    if (refused < 0 || stat(program, &file) != 0 || statvfs(program, &system) != 0) return -errno;
    if (refused == 1 || file.st_uid != 0 || (system.f_flag & ST_NOSUID) != 0 || access(program, X_OK) != 0) return 0;
    return (file.st_mode & S_ISUID) != 0 || getxattr(program, "security.capability", NULL, 0) > 0;
}
