// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of kallsyms*.c share: the tables, once found, and how to step through the names.
#ifndef VMI_SYMBOLS_KALLSYMS_IMPL_H
#define VMI_SYMBOLS_KALLSYMS_IMPL_H

#include "src/base/bytes.h"
#include "symbols/kallsyms.h"

enum {
	KALLSYMS_TOKENS = 256,
	KALLSYMS_BLOCK = 256,	  // symbols from one marker to the next
	KALLSYMS_WORK = 32 << 20, // steps of one search; a real kernel takes one in a hundred
};

struct kallsyms_token {
	const char *text; // not NUL-terminated for our purposes: len bytes
	uint32_t len;
};

struct kallsyms {
	const uint8_t *window;
	size_t size;
	struct kallsyms_layout layout;
	uint32_t count;
	uint32_t word; // bytes of an address
	uint64_t base; // relative_base's value; of place-relative ones the address of the table
	bool rebased;
	uint32_t work; // steps left of the search
	struct kallsyms_token token[KALLSYMS_TOKENS];
};

// A symbol's tokens, in the names.
struct kallsyms_entry {
	const uint8_t *tokens;
	uint32_t n;
};

// Takes one entry off p, which must end before end. False if it is empty or does not fit.
static inline bool kallsyms_step(const uint8_t **p, const uint8_t *end, bool long_lengths,
				 struct kallsyms_entry *out)
{
	const uint8_t *at = *p;

	if (end - at < 2)
		return false;
	uint32_t n = *at++;
	if (n & 0x80 && long_lengths)
		n = (n & 0x7f) | (uint32_t)*at++ << 7;
	if (n == 0 || n > (size_t)(end - at))
		return false;
	*out = (struct kallsyms_entry){at, n};
	*p = at + n;
	return true;
}

// The address of symbol i in a table of this encoding.
static inline uint64_t kallsyms_decode(enum kallsyms_encoding encoding, const uint8_t *table,
				       uint64_t base, uint32_t i)
{
	if (encoding == KALLSYMS_ABSOLUTE)
		return le64(table + (size_t)i * 8);
	uint32_t raw = le32(table + (size_t)i * 4);
	if (encoding == KALLSYMS_ABSOLUTE_32)
		return raw;
	if (encoding == KALLSYMS_BASE)
		return base + raw;
	int64_t v = (int32_t)raw;
	if (encoding == KALLSYMS_PLACE)
		return base + (uint64_t)i * 4 + (uint64_t)v;
	return v >= 0 ? (uint64_t)v : base - 1 - (uint64_t)v;
}

static inline uint64_t kallsyms_address(const struct kallsyms *ks, uint32_t i)
{
	return kallsyms_decode(ks->layout.encoding, ks->window + ks->layout.addresses, ks->base, i);
}

// Addresses grow with i if this is subtracted first (modulo 2^64).
static inline uint64_t kallsyms_lowest(enum kallsyms_encoding encoding, uint64_t base)
{
	return encoding == KALLSYMS_PLACE ? base - (1ULL << 31) : 0;
}

// Counts steps of the search; false once there were too many, and the search is to fail.
static inline bool kallsyms_may(struct kallsyms *ks, uint32_t steps)
{
	ks->work -= ks->work < steps ? ks->work : steps;
	return ks->work > 0;
}

// token_index at this place, with its token_table before it: fills ks->token and both places.
bool kallsyms_take_tokens(struct kallsyms *ks, uint64_t token_index);
// The first such at or after from; KALLSYMS_UNKNOWN if there is none.
uint64_t kallsyms_seek_tokens(struct kallsyms *ks, uint64_t from);
// markers, names and num_syms from the tokens on; false if they are not there.
bool kallsyms_take_names(struct kallsyms *ks);
// The table of addresses, and how it is encoded, from all others.
bool kallsyms_take_addresses(struct kallsyms *ks);

#endif
