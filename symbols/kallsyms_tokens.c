// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds token_index and token_table by what they are: 256 growing offsets of strings right before.
#include "symbols/kallsyms_impl.h"

#include <string.h>

enum {
	INDEX_SIZE = KALLSYMS_TOKENS * 2,
	STRIDE = INDEX_SIZE /
		 2,	       // a probe each: one is sure to fall in the first half of token_index
	TABLE_MOST = 16 << 10, // bytes of token_table; Linux 7.2 has 0.9 KiB
	PADDING = 8,
};

static uint32_t index_at(const struct kallsyms *ks, uint64_t place, uint32_t i)
{
	return le16(ks->window + place + (size_t)i * 2);
}

// Four growing offsets in a row: cheap, and rare elsewhere.
static bool grows_at(const uint8_t *p)
{
	uint16_t a = le16(p), b = le16(p + 2), c = le16(p + 4), d = le16(p + 6);

	return a < b && b < c && c < d && d < TABLE_MOST;
}

// Tokens of one character stand at its code if any symbol has that character; all digits do. This
// tells a table from chance at once.
static bool has_digits(const struct kallsyms *ks, uint64_t table)
{
	static const char digits[] = "0\0001\0002\0003\0004\0005\0006\0007\0008\0009";
	uint64_t at = table + index_at(ks, ks->layout.token_index, '0');

	return at + sizeof(digits) <= ks->layout.token_index &&
	       memcmp(ks->window + at, digits, sizeof(digits)) == 0;
}

static bool take_token(struct kallsyms *ks, uint32_t i, const char *text, size_t left)
{
	const char *nul = memchr(text, '\0', left);

	if (!nul)
		return false;
	ks->token[i] = (struct kallsyms_token){text, (uint32_t)(nul - text)};
	return true;
}

// token_table is at [table, layout.token_index), padding included.
static bool take_table(struct kallsyms *ks, uint64_t table)
{
	uint64_t end = ks->layout.token_index, next = 0;

	if (!has_digits(ks, table))
		return false;
	for (uint32_t i = 0; i < KALLSYMS_TOKENS; i++) {
		uint64_t at = table + index_at(ks, end, i);
		if (at - table != next || at >= end ||
		    !take_token(ks, i, (const char *)ks->window + at, end - at))
			return false;
		next += ks->token[i].len + 1;
	}
	ks->layout.token_table = table;
	return end - (table + next) < PADDING;
}

bool kallsyms_take_tokens(struct kallsyms *ks, uint64_t token_index)
{
	if (token_index > ks->size || ks->size - token_index < INDEX_SIZE)
		return false;
	ks->layout.token_index = token_index;
	// Where the last token begins; how long it is, and the padding after it, is not recorded.
	uint64_t last = index_at(ks, token_index, KALLSYMS_TOKENS - 1);
	for (uint64_t tail = 1; tail < KALLSYMS_NAME + PADDING; tail++)
		if (last + tail <= token_index && take_table(ks, token_index - last - tail))
			return true;
	return false;
}

// Back from a place in a growing run of u16 to where it is 0; KALLSYMS_UNKNOWN if it never is.
static uint64_t start_of_run(const struct kallsyms *ks, uint64_t place)
{
	for (uint32_t back = 0; back < KALLSYMS_TOKENS; back++, place -= 2) {
		if (index_at(ks, place, 0) == 0)
			return place;
		if (place < 2 || index_at(ks, place - 2, 0) >= index_at(ks, place, 0))
			break;
	}
	return KALLSYMS_UNKNOWN;
}

uint64_t kallsyms_seek_tokens(struct kallsyms *ks, uint64_t from)
{
	for (uint64_t at = from; at + 8 <= ks->size; at += STRIDE) {
		if (!grows_at(ks->window + at) || !kallsyms_may(ks, INDEX_SIZE))
			continue;
		uint64_t start = start_of_run(ks, at);
		if (start != KALLSYMS_UNKNOWN && kallsyms_take_tokens(ks, start))
			return start;
	}
	return KALLSYMS_UNKNOWN;
}
