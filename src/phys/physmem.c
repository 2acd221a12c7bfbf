// SPDX-License-Identifier: LGPL-2.1-or-later
// Guest-physical reads: small ones through a cache of whole pages, large ones past it.
//
// The cache is set-associative, with the last page hit in front of it. Only pages that lie wholly
// in one run are cached; those that runs share or cut are read piece by piece, and are rare: the
// ends of unaligned ranges. A page that could not be read is never tried again.
#include "src/phys/physmem.h"

#include "src/base/mem.h"
#include "src/phys/pageset.h"
#include "src/phys/runs.h"

#include <string.h>

enum {
	WAYS = 4,
	SETS = 1024, // 4 * 1024 pages: 16 MiB
	BULK = 64 << 10,
};

static const uint64_t NO_PAGE = UINT64_MAX; // page numbers have 52 bits

struct slot {
	uint64_t page;
	const uint8_t *bytes;
};

struct cache_set {
	struct slot way[WAYS];
};

struct physmem {
	struct slot hot; // the last page hit
	struct mem_source *src;
	struct runs runs;
	struct cache_set *sets;
	uint8_t *frames;
	uint8_t next_way[SETS];
	struct pageset touched, bad; // by rank
	uint64_t page_reads;
	void (*look)(void *arg); // NULL: nobody wants to
	void *look_arg;
};

static const uint8_t zero_page[PAGE_SIZE];

static void forget_pages(struct physmem *pm)
{
	pm->hot = (struct slot){NO_PAGE, NULL};
	for (size_t i = 0; i < SETS; i++)
		for (size_t w = 0; w < WAYS; w++)
			pm->sets[i].way[w] = pm->hot;
}

struct err *physmem_new(struct mem_source *src, const struct mem_run *runs, size_t n_runs,
			struct physmem **out)
{
	struct runs checked;

	TRY(runs_init(&checked, runs, n_runs));
	struct physmem *pm = mem_zalloc(1, sizeof(*pm));
	pm->src = src;
	pm->runs = checked;
	pm->sets = mem_alloc(SETS * sizeof(*pm->sets));
	pm->frames = mem_alloc((size_t)SETS * WAYS * PAGE_SIZE);
	forget_pages(pm);
	*out = pm;
	return NULL;
}

void physmem_free(struct physmem *pm)
{
	if (!pm)
		return;
	runs_fini(&pm->runs);
	pageset_fini(&pm->touched);
	pageset_fini(&pm->bad);
	mem_free(pm->sets);
	mem_free(pm->frames);
	mem_free(pm);
}

struct err *physmem_move(struct physmem *pm, const struct mem_run *runs, size_t n_runs)
{
	struct runs moved;

	TRY(runs_init(&moved, runs, n_runs));
	runs_fini(&pm->runs);
	pm->runs = moved;
	forget_pages(pm);
	return NULL;
}

// --- The container ---

static void count_read(struct physmem *pm, const struct mem_run *run, uint64_t pa, size_t n)
{
	uint64_t first = runs_rank(&pm->runs, run, pa);
	uint64_t pages = runs_rank(&pm->runs, run, pa + (n - 1)) - first + 1;

	pageset_add(&pm->touched, first, pages);
	pm->page_reads += pages;
}

// How many of n bytes of a run can be had; n > 0 and inside the run.
static size_t fetch(struct physmem *pm, const struct mem_run *run, uint64_t pa, void *buf, size_t n)
{
	size_t got = 0;

	if (run->state == MEM_ZERO) {
		memset(buf, 0, n);
		return n;
	}
	if (pm->src->read(pm->src, run, pa - run->pa, buf, n, &got))
		got = 0;
	if (got > 0)
		count_read(pm, run, pa, got);
	if (got < n)
		pageset_add(&pm->bad, runs_rank(&pm->runs, run, pa + got), 1);
	return got;
}

static bool known_bad(const struct physmem *pm, const struct mem_run *run, uint64_t pa)
{
	return pm->bad.n && pageset_has(&pm->bad, runs_rank(&pm->runs, run, pa));
}

// --- The cache ---

static struct cache_set *set_of(struct physmem *pm, uint64_t page)
{
	return &pm->sets[(page ^ page >> 10 ^ page >> 20) % SETS];
}

// The frame that makes room for a page, taken in turn.
static struct slot *victim(struct physmem *pm, struct cache_set *set, uint8_t **frame)
{
	size_t i = (size_t)(set - pm->sets);
	size_t way = pm->next_way[i]++ % WAYS;

	*frame = pm->frames + (i * WAYS + way) * PAGE_SIZE;
	set->way[way].page = pm->hot.page = NO_PAGE; // the last hit may be what goes
	return &set->way[way];
}

static bool holds_page(const struct mem_run *run, uint64_t pa)
{
	return run_has(run, pa) && run->size - (pa - run->pa) >= PAGE_SIZE;
}

// The bytes of a whole page that was not in the cache, or NULL if it can't be had as one.
static const uint8_t *load_page(struct physmem *pm, struct cache_set *set, uint64_t page)
{
	uint64_t pa = page << PAGE_SHIFT;
	const struct mem_run *run = runs_at_or_above(&pm->runs, pa);
	uint8_t *frame;

	if (!holds_page(run, pa) || known_bad(pm, run, pa))
		return NULL;
	if (run->state == MEM_ZERO)
		return zero_page;
	struct slot *s = victim(pm, set, &frame);
	if (fetch(pm, run, pa, frame, PAGE_SIZE) < PAGE_SIZE)
		return NULL;
	*s = (struct slot){page, frame};
	return frame;
}

static const uint8_t *find_page(struct physmem *pm, uint64_t page)
{
	struct cache_set *set = set_of(pm, page);

	for (size_t w = 0; w < WAYS; w++)
		if (set->way[w].page == page)
			return set->way[w].bytes;
	return load_page(pm, set, page);
}

// --- Reads ---

// A page in pieces: each byte from the run that has it.
static bool read_split(struct physmem *pm, uint64_t pa, uint8_t *buf, size_t n)
{
	while (n > 0) {
		const struct mem_run *run = runs_at_or_above(&pm->runs, pa);
		if (!run_has(run, pa) || known_bad(pm, run, pa))
			return false;
		uint64_t left = run->size - (pa - run->pa);
		size_t part = left < n ? (size_t)left : n;
		if (fetch(pm, run, pa, buf, part) < part)
			return false;
		pa += part;
		buf += part;
		n -= part;
	}
	return true;
}

// A pointer or an int, most of the time: the compiler makes each of them one load.
static inline void copy(void *to, const uint8_t *from, size_t n)
{
	if (n == 8)
		memcpy(to, from, 8);
	else if (n == 4)
		memcpy(to, from, 4);
	else
		memcpy(to, from, n);
}

// n bytes inside one page that is not the last one hit.
static bool read_in_page(struct physmem *pm, uint64_t pa, void *buf, size_t n)
{
	uint64_t page = pa >> PAGE_SHIFT;
	const uint8_t *bytes = find_page(pm, page);

	if (!bytes)
		return read_split(pm, pa, buf, n);
	pm->hot = (struct slot){page, bytes};
	copy(buf, bytes + pa % PAGE_SIZE, n);
	return true;
}

static bool read_across(struct physmem *pm, uint64_t pa, uint8_t *buf, size_t n)
{
	uint64_t end;

	if (n > 0 && __builtin_add_overflow(pa, n - 1, &end))
		return false;
	if (n >= BULK)
		return physmem_read_bulk(pm, pa, buf, n) == n;
	while (n > 0) {
		size_t room = PAGE_SIZE - pa % PAGE_SIZE, part = room < n ? room : n;
		if (!read_in_page(pm, pa, buf, part))
			return false;
		pa += part;
		buf += part;
		n -= part;
	}
	return true;
}

bool physmem_read(struct physmem *pm, uint64_t pa, void *buf, size_t n)
{
	size_t at = pa % PAGE_SIZE;

	if (pa >> PAGE_SHIFT != pm->hot.page || n > PAGE_SIZE - at)
		return read_across(pm, pa, buf, n);
	copy(buf, pm->hot.bytes + at, n);
	return true;
}

// [pa, pa + n) inside a run. Pages that can't be read become zero bytes; gives the leading good
// ones.
static size_t bulk_of_run(struct physmem *pm, const struct mem_run *run, uint64_t pa, uint8_t *buf,
			  size_t n)
{
	size_t done = 0, lead = n;

	while (done < n) {
		done += fetch(pm, run, pa + done, buf + done, n - done);
		if (done == n)
			break;
		if (lead == n)
			lead = done;
		size_t skip = PAGE_SIZE - (pa + done) % PAGE_SIZE;
		if (skip > n - done)
			skip = n - done;
		memset(buf + done, 0, skip);
		done += skip;
	}
	return lead;
}

// The next piece of a bulk read: one run's part, or the gap before the next run.
static size_t bulk_piece(struct physmem *pm, uint64_t pa, uint8_t *buf, size_t n, size_t *good)
{
	const struct mem_run *run = runs_at_or_above(&pm->runs, pa);
	bool here = run_has(run, pa);
	uint64_t left = here ? run->size - (pa - run->pa) : run ? run->pa - pa : n;
	size_t part = left < n ? (size_t)left : n;

	*good = 0;
	if (here)
		*good = bulk_of_run(pm, run, pa, buf, part);
	else
		memset(buf, 0, part);
	return part;
}

size_t physmem_read_bulk(struct physmem *pm, uint64_t pa, void *buf, size_t n)
{
	uint8_t *to = buf;
	size_t done = 0, lead = 0, good;

	if (pm->look)
		pm->look(pm->look_arg);
	while (done < n && pa + done >= pa) {
		size_t part = bulk_piece(pm, pa + done, to + done, n - done, &good);
		if (lead == done)
			lead += good;
		done += part;
	}
	memset(to + done, 0, n - done); // what would lie beyond the last address
	return lead;
}

void physmem_on_bulk(struct physmem *pm, void (*look)(void *arg), void *arg)
{
	pm->look = look;
	pm->look_arg = arg;
}

// --- What there is ---

bool physmem_of_table(const struct physmem *pm, uint64_t address, uint64_t *pa)
{
	uint64_t frame;

	*pa = address;
	if (!pm->src->guest_frame)
		return true;
	if (!pm->src->guest_frame(pm->src, address >> PAGE_SHIFT, &frame))
		return false;
	*pa = frame << PAGE_SHIFT | (address & (PAGE_SIZE - 1));
	return true;
}

enum mem_state physmem_state(struct physmem *pm, uint64_t pa)
{
	const struct mem_run *run = runs_at_or_above(&pm->runs, pa);

	return run_has(run, pa) && !known_bad(pm, run, pa) ? run->state : MEM_ABSENT;
}

const struct mem_run *physmem_runs(const struct physmem *pm, size_t *n)
{
	*n = pm->runs.n;
	return pm->runs.at;
}

uint64_t physmem_end(const struct physmem *pm)
{
	const struct mem_run *last = &pm->runs.at[pm->runs.n - 1];

	return last->pa + last->size;
}

struct physmem_stats physmem_stats(const struct physmem *pm)
{
	return (struct physmem_stats){pm->touched.n, pm->page_reads, pm->bad.n};
}
