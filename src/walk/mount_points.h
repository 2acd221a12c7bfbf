// SPDX-License-Identifier: LGPL-2.1-or-later
// What is mounted where in the mount namespace of the first process.
#ifndef VMI_WALK_MOUNT_POINTS_H
#define VMI_WALK_MOUNT_POINTS_H

#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "src/walk/path.h"

struct mount_point {
	struct kpath on, root; // who goes to `on` comes to `root`
	size_t next;	       // of the same dentry: index + 1, or 0
};

// Zero-initialised is empty.
struct mount_points {
	VEC(struct mount_point) all;
	struct u64map by_dentry; // index into all
};

void mount_points_find(struct walk *w, struct mount_points *m);
void mount_points_fini(struct mount_points *m);

// From a directory to the root of the topmost of what is mounted on it.
void mount_points_cross(const struct mount_points *m, struct kpath *at);

#endif
