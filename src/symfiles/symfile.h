// SPDX-License-Identifier: LGPL-2.1-or-later
// A file of types or symbols, from its name to its profile.
#ifndef VMI_SYMFILES_SYMFILE_H
#define VMI_SYMFILES_SYMFILE_H

#include "symbols/profile.h"
#include "symbols/wanted.h"

// Errors name the path. ERR_NOT_FOUND: it is a file of another program.
struct err *symfile_load(const char *path, const struct type_wants *wants, struct profile **out);

#endif
