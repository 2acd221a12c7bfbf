// SPDX-License-Identifier: LGPL-2.1-or-later
// Bitmaps of 512 pages, found through a hash map.
#include "src/phys/pageset.h"

#include <string.h>

static struct pageset_chunk *chunk_of(struct pageset *s, uint64_t page)
{
	uint64_t key = page / PAGESET_CHUNK_PAGES;

	if (u64map_add(&s->index, key, s->chunks.n))
		memset(vec_add(&s->chunks), 0, sizeof(struct pageset_chunk));
	return &s->chunks.at[*u64map_get(&s->index, key)];
}

// Bits [first, first + count) of one word.
static uint64_t mask_of(uint64_t first, uint64_t count)
{
	return (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << first;
}

void pageset_add(struct pageset *s, uint64_t first, uint64_t count)
{
	while (count > 0) {
		uint64_t bit = first % 64, part = count < 64 - bit ? count : 64 - bit;
		uint64_t *word = &chunk_of(s, first)->word[first % PAGESET_CHUNK_PAGES / 64];
		uint64_t fresh = mask_of(bit, part) & ~*word;

		*word |= fresh;
		s->n += (uint64_t)__builtin_popcountll(fresh);
		first += part;
		count -= part;
	}
}

bool pageset_has(const struct pageset *s, uint64_t page)
{
	const uint64_t *at = s->n ? u64map_get(&s->index, page / PAGESET_CHUNK_PAGES) : NULL;

	return at && (s->chunks.at[*at].word[page % PAGESET_CHUNK_PAGES / 64] >> page % 64 & 1);
}

void pageset_fini(struct pageset *s)
{
	u64map_fini(&s->index);
	vec_fini(&s->chunks);
	s->n = 0;
}
