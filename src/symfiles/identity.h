// SPDX-License-Identifier: LGPL-2.1-or-later
// The build id of an ELF file, read without the libraries that trust what they read.
#ifndef VMI_SYMFILES_IDENTITY_H
#define VMI_SYMFILES_IDENTITY_H

#include "src/phys/io.h"

#include <stddef.h>

// In hexadecimal, mem_free() it; NULL if it is no ELF file, or has none.
char *identity_build_id(struct io *io);

// The same of the GNU note that bytes begin with, if they do.
char *identity_of_note(const uint8_t *bytes, size_t n);

#endif
