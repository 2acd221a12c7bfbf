// SPDX-License-Identifier: LGPL-2.1-or-later
// XXH64 after its specification (xxHash, doc/xxhash_spec.md, version 0.1.1), seed 0.
#include "formats/xxh64.h"

#include "src/base/bytes.h"

static const uint64_t P1 = 0x9e3779b185ebca87, P2 = 0xc2b2ae3d27d4eb4f, P3 = 0x165667b19e3779f9,
		      P4 = 0x85ebca77c2b2ae63, P5 = 0x27d4eb2f165667c5;

static uint64_t rotl(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static uint64_t round64(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * P2, 31) * P1;
}

// Step 2 and 3: four lanes of 8 bytes a stripe, then one value of the four.
static uint64_t stripes(struct cursor *c)
{
	uint64_t acc[4] = {P1 + P2, P2, 0, 0 - P1};
	const uint8_t *s;

	while (cursor_take(c, 32, &s))
		for (size_t i = 0; i < 4; i++)
			acc[i] = round64(acc[i], le64(s + 8 * i));
	uint64_t h = rotl(acc[0], 1) + rotl(acc[1], 7) + rotl(acc[2], 12) + rotl(acc[3], 18);
	for (size_t i = 0; i < 4; i++)
		h = (h ^ round64(0, acc[i])) * P1 + P4;
	return h;
}

// Step 5: what is left, fewer than 32 bytes.
static uint64_t rest(uint64_t h, struct cursor *c)
{
	const uint8_t *s;

	while (cursor_take(c, 8, &s))
		h = rotl(h ^ round64(0, le64(s)), 27) * P1 + P4;
	if (cursor_take(c, 4, &s))
		h = rotl(h ^ le32(s) * P1, 23) * P2 + P3;
	while (cursor_take(c, 1, &s))
		h = rotl(h ^ *s * P5, 11) * P1;
	return h;
}

uint64_t xxh64(const void *data, size_t n)
{
	struct cursor c = cursor_over(data, n);
	uint64_t h = rest((n >= 32 ? stripes(&c) : P5) + n, &c);

	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
