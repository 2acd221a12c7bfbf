// SPDX-License-Identifier: LGPL-2.1-or-later
// Page records in a row: those of the block that is current, with all their bytes in the window.
// Nearly all of a stream is such, and this is where its time goes.
//
// Whatever is out of the ordinary, or wrong, is left to qemu_ram.c, which takes one record at a
// time.
#include "formats/qemu_stream.h"

#include "src/base/bytes.h"

#include <string.h>

enum {
	ZERO_RECORD = 8 + 1, // head, fill
	PLAIN_RECORD = 8 + PAGE_SIZE,
	LEAF_OF_ZEROS = QINDEX_LEAF * ZERO_RECORD,
	ZERO_PAGE = RAM_ZERO | RAM_CONTINUE,
	PLAIN_PAGE = RAM_PAGE | RAM_CONTINUE,
};

struct row {
	struct qindex *ix;
	uint64_t first, size; // pages of the index before the block; bytes of the block
	const uint8_t *at;    // the next record
	size_t left;	      // in the window
	uint64_t off, end;    // of the record in the file; of the file
	bool last, cut;	      // take what there is of a leaf; a leaf is not all in the window
};

static void go_on(struct row *r, size_t n)
{
	r->at += n;
	r->left -= n;
	r->off += n;
}

// In which bits the zero records of a leaf differ from its first: 12 to 20 of the offset are in
// bytes 5 and 6.
#define RECORD(i)                                                                                  \
	{                                                                                          \
		0, 0, 0, 0, 0, (uint8_t)((i) >> 4), (uint8_t)((i) << 4), 0, 0                      \
	}
#define RECORDS_8(i)                                                                               \
	RECORD(i), RECORD((i) + 1), RECORD((i) + 2), RECORD((i) + 3), RECORD((i) + 4),             \
		RECORD((i) + 5), RECORD((i) + 6), RECORD((i) + 7)
#define RECORDS_64(i)                                                                              \
	RECORDS_8(i), RECORDS_8((i) + 8), RECORDS_8((i) + 16), RECORDS_8((i) + 24),                \
		RECORDS_8((i) + 32), RECORDS_8((i) + 40), RECORDS_8((i) + 48), RECORDS_8((i) + 56)
static const uint8_t leaf_of_zeros[QINDEX_LEAF][ZERO_RECORD] = {
	RECORDS_64(0),	 RECORDS_64(64),  RECORDS_64(128), RECORDS_64(192),
	RECORDS_64(256), RECORDS_64(320), RECORDS_64(384), RECORDS_64(448)};

// 16 records are nine vectors.
typedef uint64_t vector __attribute__((vector_size(16), aligned(1), may_alias));
enum { GROUP = 16, VECTORS = (size_t)GROUP * ZERO_RECORD / sizeof(vector) };

// Whether the records from at on are those of a leaf of zeros, page after page: the first one's
// offset is that of a whole leaf, too. Comparing one record at a time takes almost three times as
// long.
static bool is_leaf_of_zeros(const uint8_t *at)
{
	uint8_t first[GROUP][ZERO_RECORD];
	vector differ = {0};

	for (size_t i = 0; i < GROUP; i++)
		memcpy(first[i], at, ZERO_RECORD);
	const vector *f = (const vector *)first, *t = (const vector *)leaf_of_zeros;
	const vector *v = (const vector *)at, *end = v + (size_t)QINDEX_LEAF / GROUP * VECTORS;
	for (; v < end && (differ[0] | differ[1]) == 0; v += VECTORS, t += VECTORS)
#pragma GCC unroll 9
		for (size_t i = 0; i < VECTORS; i++)
			differ |= v[i] ^ t[i] ^ f[i];
	return (differ[0] | differ[1]) == 0;
}

static bool take_leaf_of_zeros(struct row *r, uint64_t record, uint64_t page)
{
	if (page % QINDEX_LEAF || record / PAGE_SIZE % QINDEX_LEAF || r->at[8] != 0 ||
	    r->left < LEAF_OF_ZEROS || r->size / PAGE_SIZE - (page - r->first) < QINDEX_LEAF ||
	    !is_leaf_of_zeros(r->at))
		return false;
	qindex_set_zeros(r->ix, page);
	go_on(r, LEAF_OF_ZEROS);
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

// Whether the records of a leaf may begin here, of which the window has not got all.
static bool leaf_is_cut(const struct row *r, uint64_t page)
{
	return page % QINDEX_LEAF == 0 && r->left < LEAF_OF_ZEROS &&
	       r->end - r->off >= LEAF_OF_ZEROS;
}

// The next records, if they are of those.
static bool take(struct row *r, uint64_t *kinds)
{
	uint64_t record = be64(r->at), kind = record & (PAGE_SIZE - 1);
	uint64_t page = r->first + record / PAGE_SIZE;

	if (record - kind >= r->size || (kind != ZERO_PAGE && kind != PLAIN_PAGE))
		return false;
	if (kind == ZERO_PAGE && !r->last && leaf_is_cut(r, page)) {
		r->cut = true;
		return false;
	}
	*kinds |= kind;
	if (kind == PLAIN_PAGE)
		return take_plain(r, page);
	return take_leaf_of_zeros(r, record, page) || take_fills(r, record, page);
}

// Those in the window; true: a leaf begins that ends behind it, unless this is the last look.
static bool take_window(struct qemu_stream *s, bool last)
{
	const struct qemu_block *b = &s->blocks.at[s->current];
	struct window *w = &s->w;
	struct row r = {.ix = &s->ix,
			.first = b->first,
			.size = b->size,
			.at = window_at(w),
			.left = w->n - w->pos,
			.off = window_off(w),
			.end = s->end,
			.last = last};
	uint64_t kinds = 0;

	while (r.left >= ZERO_RECORD && take(&r, &kinds))
		;
	w->pos = w->n - r.left;
	s->kinds |= kinds;
	return r.cut;
}

void qemu_ram_row(struct qemu_stream *s)
{
	bool last = false;

	if (!s->ram_seen || s->mapped || s->current >= s->blocks.n)
		return;
	while (take_window(s, last))
		last = !window_fill(&s->w, LEAF_OF_ZEROS);
}
