// SPDX-License-Identifier: LGPL-2.1-or-later
// May this path become the output? Asked before any work is done.
#ifndef VMI_DB_OUTPUT_H
#define VMI_DB_OUTPUT_H

#include "src/base/err.h"

#include <stdbool.h>

// Refuses the evidence itself under any name, what is no regular file, a directory that nothing can
// be created in, and, unless force, any file that is there.
struct err *output_check(const char *path, const char *evidence, bool force);

// The folder that it lies in; to be freed.
char *output_folder(const char *path);

#endif
