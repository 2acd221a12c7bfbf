// SPDX-License-Identifier: LGPL-2.1-or-later
// CRC-32C (Castagnoli), as snappy's framing format has it.
#ifndef VMI_FORMATS_CRC32C_H
#define VMI_FORMATS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *bytes, size_t n);

#endif
