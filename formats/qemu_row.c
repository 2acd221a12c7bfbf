// SPDX-License-Identifier: LGPL-2.1-or-later
// Page records in a row: those of the block that is current, with all their bytes in the window.
// Nearly all of a stream is such, and this is where its time goes.
//
// Whatever is out of the ordinary, or wrong, is left to qemu_ram.c, which takes one record at a
// time.
#include "formats/qemu_stream.h"

#include "src/base/bytes.h"

enum {
	ZERO_RECORD = 8 + 1, // head, fill
	PLAIN_RECORD = 8 + PAGE_SIZE,
	UNROLLED = 16,
	ZERO_PAGE = RAM_ZERO | RAM_CONTINUE,
	PLAIN_PAGE = RAM_PAGE | RAM_CONTINUE,
};

struct row {
	struct qindex *ix;
	uint64_t first, size; // pages of the index before the block; bytes of the block
	const uint8_t *at;    // the next record
	size_t left;	      // in the window
	uint64_t off;	      // of the record in the file
};

static void go_on(struct row *r, size_t n)
{
	r->at += n;
	r->left -= n;
	r->off += n;
}

// Whether the records are those of a leaf of zeros, page after page. Differences are gathered and
// looked at once for several: a branch for each record would be half of the work.
static bool is_leaf_of_zeros(const uint8_t *at, uint64_t record)
{
	uint64_t differ = 0;

	for (size_t i = 0; i < QINDEX_LEAF && differ == 0; i += UNROLLED)
		for (size_t k = 0; k < UNROLLED; k++, at += ZERO_RECORD, record += PAGE_SIZE)
			differ |= (be64(at) ^ record) | at[8];
	return differ == 0;
}

static bool take_leaf_of_zeros(struct row *r, uint64_t record, uint64_t page)
{
	if (page % QINDEX_LEAF || r->left < (size_t)QINDEX_LEAF * ZERO_RECORD ||
	    r->size / PAGE_SIZE - (page - r->first) < QINDEX_LEAF ||
	    !is_leaf_of_zeros(r->at, record))
		return false;
	qindex_set_zeros(r->ix, page);
	go_on(r, (size_t)QINDEX_LEAF * ZERO_RECORD);
	return true;
}

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

// As many pages of one byte as follow each other up to the end of the leaf.
static bool take_fills(struct row *r, uint64_t record, uint64_t page)
{
	uint64_t *slot = qindex_slot(r->ix, page);
	size_t most = QINDEX_LEAF - page % QINDEX_LEAF, i = 0;
	const uint8_t *at = r->at;

	most = least(least(most, r->left / ZERO_RECORD), r->size / PAGE_SIZE - (page - r->first));
	for (; slot && i < most && be64(at) == record; i++, at += ZERO_RECORD, record += PAGE_SIZE)
		slot[i] = qpage(QPAGE_FILL, at[8]);
	go_on(r, i * ZERO_RECORD);
	return i > 0;
}

static bool take_plain(struct row *r, uint64_t page)
{
	uint64_t *slot = r->left >= PLAIN_RECORD ? qindex_slot(r->ix, page) : NULL;

	if (!slot)
		return false;
	*slot = qpage(QPAGE_PLAIN, r->off + 8);
	go_on(r, PLAIN_RECORD);
	return true;
}

// The next records, if they are of those.
static bool take(struct row *r, uint64_t *kinds)
{
	uint64_t record = be64(r->at), kind = record & (PAGE_SIZE - 1);
	uint64_t page = r->first + record / PAGE_SIZE;

	if (record - kind >= r->size || (kind != ZERO_PAGE && kind != PLAIN_PAGE))
		return false;
	*kinds |= kind;
	if (kind == PLAIN_PAGE)
		return take_plain(r, page);
	return take_leaf_of_zeros(r, record, page) || take_fills(r, record, page);
}

void qemu_ram_row(struct qemu_stream *s)
{
	struct window *w = &s->w;

	if (!s->ram_seen || s->mapped || s->current >= s->blocks.n)
		return;
	const struct qemu_block *b = &s->blocks.at[s->current];
	struct row r = {&s->ix, b->first, b->size, window_at(w), w->n - w->pos, window_off(w)};
	uint64_t kinds = 0;
	while (r.left >= ZERO_RECORD && take(&r, &kinds))
		;
	w->pos = w->n - r.left;
	s->kinds |= kinds;
}
