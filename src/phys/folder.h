// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of a folder of evidence.
#ifndef VMI_PHYS_FOLDER_H
#define VMI_PHYS_FOLDER_H

#include "src/base/err.h"
#include "src/base/vec.h"

struct folder {
	VEC(char *) files; // paths that begin with the folder's; by name, numbers by their value
};

// Regular files that are not hidden; folders in it are not looked into. What is in *f has to be
// given up by folder_fini() in any case.
struct err *folder_list(const char *path, struct folder *f);
// The same with those in folders below it, in order, but for one of them (NULL: none) and hidden
// ones. Links to folders are not followed; what can't be listed is left out.
struct err *folder_walk(const char *path, const char *but, struct folder *f);
void folder_fini(struct folder *f);

#endif
