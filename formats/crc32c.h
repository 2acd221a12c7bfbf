// SPDX-License-Identifier: LGPL-2.1-or-later
// CRC-32C (Castagnoli), as snappy's framing format has it.
#ifndef VMI_FORMATS_CRC32C_H
#define VMI_FORMATS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

struct crc32c_table {
	uint32_t at[8][256];
};

void crc32c_init(struct crc32c_table *t);
uint32_t crc32c(const struct crc32c_table *t, const void *bytes, size_t n);

#endif
