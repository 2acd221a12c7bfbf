// SPDX-License-Identifier: LGPL-2.1-or-later
// The mounts of a mount namespace: struct mnt_namespace of fs/mount.h.
#ifndef VMI_WALK_MOUNT_SPACE_H
#define VMI_WALK_MOUNT_SPACE_H

#include "src/walk/walk.h"

// Visits each struct mount until the visitor returns false; the end is ITER_MORE then.
enum iter_end mount_space_each(struct walk *w, uint64_t ns,
			       bool (*visit)(void *arg, uint64_t mount), void *arg);

#endif
