// SPDX-License-Identifier: LGPL-2.1-or-later
// Where the last contents of each page of a migration stream are: 8 bytes a page, in a tree of two
// levels, so that memory which a stream only talks of costs next to nothing.
#ifndef VMI_FORMATS_QEMU_INDEX_H
#define VMI_FORMATS_QEMU_INDEX_H

#include "src/base/vec.h"
#include "src/phys/io.h"
#include "src/phys/physmem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a page is stored; the bits above QPAGE_BITS are the rest.
enum qpage_kind {
	QPAGE_ABSENT, // no record of it
	QPAGE_FILL,   // all of one byte: the byte
	QPAGE_PLAIN,  // offset of its bytes in the file
	QPAGE_ZLIB,   // offset of a be32 length and a zlib stream
	QPAGE_DELTA,  // place in `deltas`
};
enum { QPAGE_BITS = 3, QINDEX_LEAF = 512 };

// XBZRLE: what changed since the page's contents before.
struct qpage_delta {
	uint64_t off;	 // of a be16 length and the encoded change
	uint64_t before; // the page's entry until then
};

struct qindex {
	// QINDEX_LEAF pages each; NULL where no page has a record, `zeros` where all are zeros.
	uint64_t **leaves;
	uint64_t *zeros;
	VEC(uint64_t *) own; // leaves that are not `zeros`
	uint64_t n_pages;
	uint64_t budget; // of leaves
	VEC(struct qpage_delta) deltas;
	struct block_unpacker *unpacker; // NULL until the first compressed page
};

// file_size bounds what records may claim of our memory.
void qindex_init(struct qindex *ix, uint64_t n_pages, uint64_t file_size);
void qindex_fini(struct qindex *ix);

static inline uint64_t qpage(enum qpage_kind kind, uint64_t rest)
{
	return rest << QPAGE_BITS | kind;
}

// A leaf of its own for a page < n_pages; NULL if that is more than the file can fill.
uint64_t *qindex_own_leaf(struct qindex *ix, uint64_t page);
// The place of a page < n_pages, to write to; NULL as above.
static inline uint64_t *qindex_slot(struct qindex *ix, uint64_t page)
{
	uint64_t *leaf = ix->leaves[page / QINDEX_LEAF];

	if (!leaf || leaf == ix->zeros)
		leaf = qindex_own_leaf(ix, page);
	return leaf ? leaf + page % QINDEX_LEAF : NULL;
}
// All pages of the leaf that page < n_pages begins are zeros.
void qindex_set_zeros(struct qindex *ix, uint64_t page);
// Whether any page of its leaf has an entry; the page's entry.
static inline bool qindex_has_leaf(const struct qindex *ix, uint64_t page)
{
	return page < ix->n_pages && ix->leaves[page / QINDEX_LEAF];
}
uint64_t qindex_get(const struct qindex *ix, uint64_t page);
// A change on top of what *slot has.
void qindex_delta(struct qindex *ix, uint64_t *slot, uint64_t off);

// The page's bytes out of the file, or false if they are not there or make no sense.
bool qindex_read(struct qindex *ix, struct io *io, uint64_t page, uint8_t out[static PAGE_SIZE]);

// Applies one change (QEMU migration/xbzrle.c: runs kept and runs replaced, by turns, lengths in
// ULEB128 of up to two bytes); false if it leaves the page or has no sense.
bool xbzrle_apply(const uint8_t *delta, size_t n, uint8_t page[static PAGE_SIZE]);

#endif
