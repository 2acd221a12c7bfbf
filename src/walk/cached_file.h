// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of the first process by their path, as far as memory holds their names and pages.
#ifndef VMI_WALK_CACHED_FILE_H
#define VMI_WALK_CACHED_FILE_H

#include "src/walk/walk.h"

// The root directory of the process that all others come from: after the initramfs has been left.
uint64_t cached_root(struct walk *w);

// The inode behind a path of names from that root, mounts on the way included; links are not
// followed. 0 if it is not cached.
uint64_t cached_inode(struct walk *w, const char *path);

// The content of a regular file from its start up to the first page that is not there, in the run
// arena, a zero behind it; *n how much of it. *whole: nothing is missing.
char *cached_content(struct walk *w, uint64_t inode, size_t *n, bool *whole);

#endif
