// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of files as far as the dentry cache holds them.
#ifndef VMI_WALK_DENTRY_H
#define VMI_WALK_DENTRY_H

#include "src/walk/walk.h"

enum { MAX_DENTRY_NAME = 4095 }; // of FUSE; of others 255

// Visits the entries of a folder, whatever they stand for, until the visitor returns false (the end
// is ITER_MORE then) or max were seen.
enum iter_end dentry_each(struct walk *w, uint64_t folder, uint64_t max,
			  bool (*visit)(void *arg, uint64_t dentry), void *arg);

// The inode of a name that stands for a file: 0 if it says that there is none, or was unlinked.
uint64_t dentry_inode(struct walk *w, uint64_t dentry);

// The bytes of a dentry's name, and how many; 0 if it can't be read or is too long. Not terminated.
size_t dentry_text(struct walk *w, uint64_t dentry, char name[static MAX_DENTRY_NAME]);

// The entry of a folder by its name, or 0 if it is not cached. Mounts on the way are not followed.
uint64_t dentry_child(struct walk *w, uint64_t folder, const char *name);

#endif
