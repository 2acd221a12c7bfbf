// SPDX-License-Identifier: LGPL-2.1-or-later
// A list of names of files in a file, one a line or as `find -print0` writes them.
#ifndef VMI_PHYS_NAMES_H
#define VMI_PHYS_NAMES_H

#include "src/base/err.h"
#include "src/base/vec.h"

typedef VEC(char *) name_vec;

// Adds all names that are not empty; path - is the standard input, separator '\n' or '\0'. What is
// in *out is to be freed in any case, one by one.
struct err *names_read(const char *path, char separator, name_vec *out);

#endif
