// SPDX-License-Identifier: LGPL-2.1-or-later
// The index of a migration stream, and pages out of what it points to.
#include "formats/qemu_index.h"

#include "formats/block.h"
#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum {
	// A page that was sent more often than that while it changed is not worth its time.
	CHAIN_MAX = 1 << 16,
	// zlib's worst case for a page is some 20 bytes more than it.
	PACKED_MAX = 2 * PAGE_SIZE,
};

// Records have 9 bytes at least, so an honest stream that fills a leaf has 512 times as many.
static const uint64_t LEAVES_AT_LEAST = 4096;

void qindex_init(struct qindex *ix, uint64_t n_pages, uint64_t file_size)
{
	*ix = (struct qindex){.n_pages = n_pages, .budget = LEAVES_AT_LEAST + file_size / 512};
	ix->leaves = mem_zalloc(n_pages / QINDEX_LEAF + 1, sizeof(*ix->leaves));
	ix->zeros = mem_alloc(QINDEX_LEAF * sizeof(*ix->zeros));
	for (size_t i = 0; i < QINDEX_LEAF; i++)
		ix->zeros[i] = qpage(QPAGE_FILL, 0);
}

void qindex_fini(struct qindex *ix)
{
	for (size_t i = 0; i < ix->own.n; i++)
		mem_free(ix->own.at[i]);
	vec_fini(&ix->own);
	mem_free(ix->leaves);
	mem_free(ix->zeros);
	vec_fini(&ix->deltas);
	if (ix->unpacker)
		block_unpacker_free(ix->unpacker);
	*ix = (struct qindex){0};
}

uint64_t *qindex_own_leaf(struct qindex *ix, uint64_t page)
{
	uint64_t **leaf = &ix->leaves[page / QINDEX_LEAF], *own;
	size_t size = QINDEX_LEAF * sizeof(*own);

	if (ix->budget == 0)
		return NULL;
	ix->budget--;
	own = mem_alloc(size);
	vec_push(&ix->own, own);
	if (*leaf)
		memcpy(own, *leaf, size);
	else
		memset(own, 0, size); // QPAGE_ABSENT
	*leaf = own;
	return own;
}

void qindex_set_zeros(struct qindex *ix, uint64_t page)
{
	uint64_t **leaf = &ix->leaves[page / QINDEX_LEAF];

	if (*leaf && *leaf != ix->zeros)
		memcpy(*leaf, ix->zeros, QINDEX_LEAF * sizeof(**leaf));
	else
		*leaf = ix->zeros;
}

uint64_t qindex_get(const struct qindex *ix, uint64_t page)
{
	const uint64_t *leaf = page < ix->n_pages ? ix->leaves[page / QINDEX_LEAF] : NULL;

	return leaf ? leaf[page % QINDEX_LEAF] : qpage(QPAGE_ABSENT, 0);
}

void qindex_delta(struct qindex *ix, uint64_t *slot, uint64_t off)
{
	vec_push(&ix->deltas, ((struct qpage_delta){off, *slot}));
	*slot = qpage(QPAGE_DELTA, ix->deltas.n - 1);
}

// --- XBZRLE ---

// One or two bytes, as QEMU's uleb128_decode_small() takes them.
static bool take_length(struct cursor *c, size_t *out)
{
	const uint8_t *b;

	if (!cursor_take(c, 1, &b))
		return false;
	*out = *b & 0x7f;
	if (!(*b & 0x80))
		return true;
	if (!cursor_take(c, 1, &b) || (*b & 0x80))
		return false;
	*out |= (size_t)*b << 7;
	return true;
}

bool xbzrle_apply(const uint8_t *delta, size_t n, uint8_t page[static PAGE_SIZE])
{
	struct cursor c = cursor_over(delta, n);
	const uint8_t *bytes;
	size_t at = 0, run;

	while (cursor_left(&c) > 0) {
		// What stays may be of length 0 only at the start, what changes never.
		if (!take_length(&c, &run) || (run == 0 && at > 0) || run > PAGE_SIZE - at)
			return false;
		at += run;
		if (cursor_left(&c) == 0)
			break;
		if (!take_length(&c, &run) || run == 0 || run > PAGE_SIZE - at ||
		    !cursor_take(&c, run, &bytes))
			return false;
		memcpy(page + at, bytes, run);
		at += run;
	}
	return true;
}

static bool apply_at(struct io *io, uint64_t off, uint8_t *page)
{
	uint8_t head[2], delta[PAGE_SIZE];
	size_t got;

	if (io_read(io, off, head, sizeof(head), &got) || got < sizeof(head))
		return false;
	size_t n = be16(head);
	if (n > sizeof(delta) || io_read(io, off + sizeof(head), delta, n, &got) || got < n)
		return false;
	return xbzrle_apply(delta, n, page);
}

// --- Whole pages ---

static bool read_zlib(struct qindex *ix, struct io *io, uint64_t off, uint8_t *out)
{
	uint8_t in[4 + PACKED_MAX];
	size_t got;

	if (io_read(io, off, in, sizeof(in), &got) || got < 4 || be32(in) > got - 4)
		return false;
	if (!ix->unpacker)
		ix->unpacker = block_unpacker_new();
	return block_unpack(ix->unpacker, BLOCK_ZLIB, in + 4, be32(in), out, PAGE_SIZE);
}

static bool read_base(struct qindex *ix, struct io *io, uint64_t entry, uint8_t *out)
{
	uint64_t rest = entry >> QPAGE_BITS;
	size_t got;

	switch ((enum qpage_kind)(entry & ((1U << QPAGE_BITS) - 1))) {
	case QPAGE_FILL:
		memset(out, (int)rest, PAGE_SIZE);
		return true;
	case QPAGE_PLAIN:
		return !io_read(io, rest, out, PAGE_SIZE, &got) && got == PAGE_SIZE;
	case QPAGE_ZLIB:
		return read_zlib(ix, io, rest, out);
	case QPAGE_ABSENT:
	case QPAGE_DELTA:
		break;
	}
	return false;
}

static bool is_delta(uint64_t entry)
{
	return (entry & ((1U << QPAGE_BITS) - 1)) == QPAGE_DELTA;
}

// The newest change comes first in the chain, and is applied last.
static bool read_chain(struct qindex *ix, struct io *io, uint64_t entry, uint8_t *out)
{
	size_t n = 0;
	uint64_t base = entry;

	for (; is_delta(base) && n < CHAIN_MAX; n++)
		base = ix->deltas.at[base >> QPAGE_BITS].before;
	if (is_delta(base) || !read_base(ix, io, base, out))
		return false;
	_cleanup_free_ uint64_t *offs = mem_alloc(n * sizeof(*offs));
	for (size_t i = n; i > 0; i--) {
		const struct qpage_delta *d = &ix->deltas.at[entry >> QPAGE_BITS];
		offs[i - 1] = d->off;
		entry = d->before;
	}
	for (size_t i = 0; i < n; i++)
		if (!apply_at(io, offs[i], out))
			return false;
	return true;
}

bool qindex_read(struct qindex *ix, struct io *io, uint64_t page, uint8_t out[static PAGE_SIZE])
{
	uint64_t entry = qindex_get(ix, page);

	return is_delta(entry) ? read_chain(ix, io, entry, out) : read_base(ix, io, entry, out);
}
