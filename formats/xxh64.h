// SPDX-License-Identifier: LGPL-2.1-or-later
// XXH64, the check sum of zstd's seek tables; libzstd has it but does not export it.
#ifndef VMI_FORMATS_XXH64_H
#define VMI_FORMATS_XXH64_H

#include <stddef.h>
#include <stdint.h>

// With seed 0.
uint64_t xxh64(const void *data, size_t n);

#endif
