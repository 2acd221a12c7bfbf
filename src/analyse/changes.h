// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether files of evidence are still what they were when they were opened: somebody may write to
// them, or still be copying them.
#ifndef VMI_ANALYSE_CHANGES_H
#define VMI_ANALYSE_CHANGES_H

#include "src/base/vec.h"

#include <stdbool.h>
#include <sys/stat.h>

struct seen_file {
	char *path;
	struct stat as;
};
typedef VEC(struct seen_file) seen_files;

// Remembers how it is now; one that is not there is none of the evidence.
void changes_watch(seen_files *seen, const char *path);
// The first that is another file, or of another size or time; NULL: none. One that was removed is
// read as it was.
const char *changes_find(const seen_files *seen);
void changes_fini(seen_files *seen);

#endif
