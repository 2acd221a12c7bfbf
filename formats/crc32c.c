// SPDX-License-Identifier: LGPL-2.1-or-later
// CRC-32C, eight bytes at a time: the k-th table carries a byte over k more bytes of zeros. The
// tables are made once, when they are first needed.
#include "formats/crc32c.h"

#include "src/base/bytes.h"

#include <threads.h>

enum { STEP = 8 };

static const uint32_t POLYNOMIAL = 0x82f63b78; // 0x1edc6f41, bits reversed

static uint32_t table[STEP][256];
static once_flag made = ONCE_FLAG_INIT;

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? POLYNOMIAL : 0);
		table[0][i] = c;
	}
	for (unsigned k = 1; k < STEP; k++)
		for (unsigned i = 0; i < 256; i++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xff];
}

uint32_t crc32c(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint32_t c = UINT32_MAX;

	call_once(&made, make_table);
	for (; n >= STEP; n -= STEP, p += STEP) {
		uint64_t v = le64(p) ^ c;
		c = 0;
		for (unsigned k = 0; k < STEP; k++)
			c ^= table[STEP - 1 - k][v >> 8 * k & 0xff];
	}
	for (; n > 0; n--, p++)
		c = c >> 8 ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}
