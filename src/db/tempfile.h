// SPDX-License-Identifier: LGPL-2.1-or-later
// A file that appears under its name only when it is whole.
//
// It is written under a temporary name in the same directory: tempfile_commit() syncs it and gives
// it its name; tempfile_free() without it, and any end of the process, remove it. After
// tempfile_new() that takes no right on files: a process of its own does it (keeper.h). What is
// left when that one is killed, too (power), the next tempfile_new() in the directory removes. One
// at a time.
#ifndef VMI_DB_TEMPFILE_H
#define VMI_DB_TEMPFILE_H

#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tempfile;

// Creates the temporary file, empty, for the final name; replace: that name may be taken by then.
struct err *tempfile_new(const char *name, bool replace, struct tempfile **out);
// The temporary name, for who writes it.
const char *tempfile_path(const struct tempfile *t);
// For who does not open it himself: appends to it.
struct err *tempfile_write(struct tempfile *t, const char *p, size_t n);
// After this there is nothing to remove any more; t is still to be freed.
struct err *tempfile_commit(struct tempfile *t);
void tempfile_free(struct tempfile *t);

#endif
