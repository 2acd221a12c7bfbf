// SPDX-License-Identifier: LGPL-2.1-or-later
// The bitmaps of a kdump-compressed dump -> runs of physical memory.
//
// Descriptors are in the order of the pages that the second bitmap has, so a page's descriptor is
// the number of bits before its own. Runs carry that number for their first page, and need no other
// index. What is RAM and not dumped was left out as not needed, and is absent; only where nothing
// but pages of zeros was left out (dump level 1) it is known to be zero.
#include "formats/kdump.h"

#include "src/base/bytes.h"
#include "src/base/scope.h"

enum {
	CHUNK = 64 << 10, // bytes of a bitmap at a time
	RUNS_MAX = 1 << 22,
	LEVEL_ZERO = 1, // dump level: bit 0 leaves out pages of zeros, the others other pages
};

struct mapping {
	struct kdump *k;
	struct kdump_part *p;
	uint8_t *ram, *dumped; // a chunk of each
};

// Whether run continues the one before, which becomes longer.
static bool join(struct mem_run *last, const struct mem_run *run)
{
	if (last->state != run->state || last->pa + last->size != run->pa)
		return false;
	last->size += run->size;
	return true;
}

static void add(struct mapping *m, uint64_t pfn, unsigned n, enum mem_state state)
{
	struct kdump *k = m->k;
	struct mem_run run = {pfn * k->block_size, n * k->block_size, 0, state};

	if (state == MEM_PRESENT) {
		run.off = (m->p->first + m->p->n_descs) * k->block_size;
		m->p->n_descs += n;
	}
	if (k->runs.n == 0 || !join(&k->runs.at[k->runs.n - 1], &run))
		vec_push(&k->runs, run);
}

// How many bits from bit `lo` on are set; that one is.
static unsigned stretch(uint64_t bits, unsigned lo)
{
	uint64_t clear = ~(bits >> lo);

	return clear ? (unsigned)__builtin_ctzll(clear) : 64;
}

// 64 pages: those present and those known to be zero, which are never the same.
static void take_word(struct mapping *m, uint64_t pfn, uint64_t present, uint64_t zero)
{
	while (present | zero) {
		unsigned lo = (unsigned)__builtin_ctzll(present | zero);
		bool here = present >> lo & 1;
		uint64_t *from = here ? &present : &zero;
		unsigned n = stretch(*from, lo);
		add(m, pfn + lo, n, here ? MEM_PRESENT : MEM_ZERO);
		*from &= n == 64 ? 0 : ~(((UINT64_C(1) << n) - 1) << lo);
	}
}

// The bits of a word at pfn that lie in the part's range.
static uint64_t in_range(const struct kdump_part *p, uint64_t pfn)
{
	uint64_t mask = UINT64_MAX;

	if (pfn < p->start_pfn)
		mask = p->start_pfn - pfn >= 64 ? 0 : mask << (p->start_pfn - pfn);
	if (p->end_pfn <= pfn)
		return 0;
	return p->end_pfn - pfn >= 64 ? mask : mask & ((UINT64_C(1) << (p->end_pfn - pfn)) - 1);
}

// The 8 bytes from i on of n, zeros for those behind the end.
static uint64_t word_at(const uint8_t *bytes, size_t i, size_t n)
{
	return n - i >= 8 ? le64(bytes + i) : le_n(bytes + i, n - i);
}

static struct err *take_chunk(struct mapping *m, uint64_t pfn, size_t n)
{
	struct kdump_part *p = m->p;

	for (size_t i = 0; i < n; i += 8, pfn += 64) {
		uint64_t ram = word_at(m->ram, i, n), dumped = word_at(m->dumped, i, n);
		if ((ram | dumped) == 0)
			continue; // holes are wide
		uint64_t mask = in_range(p, pfn), left_out = ram & mask & ~dumped;
		dumped &= mask;
		p->n_left_out += (unsigned)__builtin_popcountll(left_out);
		take_word(m, pfn, dumped, p->dump_level == LEVEL_ZERO ? left_out : 0);
		if (m->k->runs.n > RUNS_MAX)
			return err_new(ERR_LIMIT, "its memory is in more than %d pieces", RUNS_MAX);
	}
	return NULL;
}

static struct err *map_chunk(struct mapping *m, uint64_t at, size_t n, size_t *got)
{
	struct kdump_part *p = m->p;
	uint64_t dumped = p->bitmap + (p->two_bitmaps ? p->bitmap_size : 0);

	TRY(io_read(p->io, p->bitmap + at, m->ram, n, got));
	TRY(io_read(p->io, dumped + at, m->dumped, *got, got));
	return take_chunk(m, at * 8, *got);
}

static struct err *map_all(struct mapping *m)
{
	uint64_t end = m->p->end_pfn / 8 + (m->p->end_pfn % 8 != 0);
	size_t got;

	for (uint64_t at = m->p->start_pfn / 64 * 8; at < end; at += got) {
		size_t n = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		TRY(map_chunk(m, at, n, &got));
		m->p->bitmap_cut = got < n;
		if (m->p->bitmap_cut)
			break;
	}
	return NULL;
}

struct err *kdump_map(struct kdump *k, struct kdump_part *p)
{
	size_t room = p->bitmap_size < CHUNK ? (size_t)p->bitmap_size : CHUNK;
	_cleanup_free_ uint8_t *chunks = mem_alloc(2 * room);
	struct mapping m = {k, p, chunks, chunks + room};

	return map_all(&m);
}
