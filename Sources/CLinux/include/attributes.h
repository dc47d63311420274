#ifndef ROOKERY_ATTRIBUTES_H
#define ROOKERY_ATTRIBUTES_H

/// Copies the extended attributes whose names begin with `user.` from one open file or directory to another. All others,
/// those that lend rights (`security.capability`) among them, are left where they are. A filesystem that keeps none is
/// no error.
int rk_copy_user_attributes(int from, int to);

/// 1 where the file's extended attribute of that name is that text, 0 where it is another or is not there.
int rk_attribute_is(const char *path, const char *name, const char *text);

#endif
