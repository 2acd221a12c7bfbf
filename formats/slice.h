// SPDX-License-Identifier: LGPL-2.1-or-later
// A file without its first bytes, as a file.
#ifndef VMI_FORMATS_SLICE_H
#define VMI_FORMATS_SLICE_H

#include "src/phys/io.h"

// Bytes from off to the end of whole, which it takes over; off <= whole->size.
struct io *slice_new(struct io *whole, uint64_t off) __attribute__((returns_nonnull));

#endif
