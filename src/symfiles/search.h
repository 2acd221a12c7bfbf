// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the files of a kernel's build may be, by its build id or release, as distributions lay
// their debug packages out.
#ifndef VMI_SYMFILES_SEARCH_H
#define VMI_SYMFILES_SEARCH_H

#include "src/kernel/kernel.h"

extern const char search_system_folder[];

// Visits every file that is there and may be of this kernel, until visit gives true. folder is
// --symbols', or NULL; the system's follows. Names from the image are used only if they are
// plain.
void search_files(const struct kernel *k, const char *folder,
		  bool (*visit)(void *arg, const char *path), void *arg);

#endif
