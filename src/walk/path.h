// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of files as the guest's /proc prints them: through mounts and bind mounts up to a root.
#ifndef VMI_WALK_PATH_H
#define VMI_WALK_PATH_H

#include "src/walk/walk.h"

// A struct path: a mount (struct vfsmount *) and a dentry.
struct kpath {
	uint64_t mnt, dentry;
};

// Reads the struct path embedded at va. False if it can't be read or is empty.
bool kpath_read(struct walk *w, uint64_t va, struct kpath *out);

// The name of path below root in the row arena, as d_path() makes it: "/etc/passwd",
// "socket:[123]", "pipe:[7]", "anon_inode:[eventfd]", "/memfd:name". NULL if a link of the chain
// can't be read. *deleted: d_path would add " (deleted)". Outside of root the name is
// as from the top of the path's own mounts.
char *path_name(struct walk *w, struct kpath path, struct kpath root, bool *deleted);

// The name as /proc prints it, " (deleted)" and all; absent for NULL.
struct opt_text path_as_printed(struct walk *w, const char *name, bool deleted);

// The name of a dentry inside its own file system, from its root: "/dir/file".
char *dentry_name(struct walk *w, uint64_t dentry);

// "MM:mm" in hexadecimal as /proc/PID/maps prints a dev_t.
struct opt_text col_device(struct walk *w, uint64_t dev);

#endif
