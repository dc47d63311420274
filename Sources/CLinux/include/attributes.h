#ifndef ROOKERY_ATTRIBUTES_H
#define ROOKERY_ATTRIBUTES_H

/// Copies the extended attributes whose names begin with `user.` from one open file or directory to another. All others,
/// those that lend rights (`security.capability`) among them, are left where they are. A filesystem that keeps none is
/// no error.
int rk_copy_user_attributes(int from, int to);

#endif
