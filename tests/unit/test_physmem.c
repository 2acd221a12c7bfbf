// SPDX-License-Identifier: LGPL-2.1-or-later
// One physical memory: checks of runs, reads over every boundary, the cache against a model.
#include "src/phys/physmem.h"
#include "tests/unit/mem_io.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

// Noise without a file: byte delta of a run is noise_at(off + delta), but for a broken range.
struct noise_source {
	struct mem_source source;
	uint64_t bad_off, bad_n;
	bool odd_pages_bad; // their second halves
	unsigned reads;
};

static struct err *noise_read(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			      void *buf, size_t n, size_t *got)
{
	struct noise_source *s = (struct noise_source *)src;
	uint64_t off = run->off + delta;

	cr_assert(n > 0 && delta < run->size && n <= run->size - delta);
	s->reads++;
	if (s->bad_n && off < s->bad_off + s->bad_n && off + n > s->bad_off)
		n = off < s->bad_off ? (size_t)(s->bad_off - off) : 0;
	if (s->odd_pages_bad && off % 0x2000 == 0x1000 && n > 0x800)
		n = 0x800;
	noise_fill(off, buf, n);
	*got = n;
	return NULL;
}

static struct noise_source noise = {.source = {.read = noise_read}};

static struct physmem *over(const struct mem_run *runs, size_t n)
{
	struct physmem *pm;
	struct err *e = physmem_new(&noise.source, runs, n, &pm);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return pm;
}

static void refused(const struct mem_run *runs, size_t n)
{
	struct physmem *pm;
	struct err *e = physmem_new(&noise.source, runs, n, &pm);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_FORMAT, "%s", e->msg);
}

#define P	  MEM_PRESENT
#define Z	  MEM_ZERO
#define RUNS(...) ((struct mem_run[]){__VA_ARGS__}), sizeof((struct mem_run[]){__VA_ARGS__}) / 32

Test(physmem, refuses_runs_that_are_no_memory)
{
	_Static_assert(sizeof(struct mem_run) == 32, "RUNS() counts by this");
	refused(NULL, 0);
	refused(RUNS({0, 0, 0, P}));
	refused(RUNS({0x2000, 0x1000, 0, P}, {0, 0x1000, 0, P}));
	refused(RUNS({0, 0x1001, 0, P}, {0x1000, 0x1000, 0, P}));
	refused(RUNS({0, 0x1000, 0, P}, {0, 0x1000, 0, P}));
	refused(RUNS({UINT64_MAX - 0xfff, 0x1000, 0, P}));
	refused(RUNS({0x1000, UINT64_MAX, 0, P}));
	refused(RUNS({0, 0x1000, UINT64_MAX - 0xffe, P}));
}

Test(physmem, the_last_page_below_the_top_can_be_read)
{
	uint64_t top = UINT64_MAX - 0x1fff;
	struct physmem *pm = over(RUNS({top, 0x1000, 0, P}));
	uint8_t buf[16];

	cr_assert_eq(physmem_end(pm), top + 0x1000);
	cr_assert(physmem_read(pm, top + 0xff0, buf, 16));
	cr_assert_not(physmem_read(pm, top + 0xff1, buf, 16));
	cr_assert_not(physmem_read(pm, UINT64_MAX, buf, 1));
	cr_assert_not(physmem_read(pm, UINT64_MAX, buf, 16));
	cr_assert_not(physmem_read(pm, UINT64_MAX - 3, buf, SIZE_MAX));
	cr_assert_eq(physmem_read_bulk(pm, UINT64_MAX - 7, buf, 16), 0);
	cr_assert_eq(physmem_read_bulk(pm, top + 0xff8, buf, 16), 8);
	cr_assert_eq(physmem_state(pm, UINT64_MAX), MEM_ABSENT);
	physmem_free(pm);
}

Test(physmem, nothing_is_always_there)
{
	struct physmem *pm = over(RUNS({0x1000, 0x1000, 0, P}));
	uint8_t byte;

	cr_assert(physmem_read(pm, 0, &byte, 0));
	cr_assert(physmem_read(pm, UINT64_MAX, &byte, 0));
	cr_assert_eq(physmem_read_bulk(pm, 0x1000, &byte, 0), 0);
	physmem_free(pm);
}

Test(physmem, reads_go_on_over_runs_that_meet)
{
	// Run 1 and 2 meet inside page 1; zeros follow from page 3 on, then nothing.
	struct physmem *pm =
		over(RUNS({0, 0x1800, 0, P}, {0x1800, 0x1800, 0x90000, P}, {0x3000, 0x2000, 0, Z}));
	uint8_t buf[0x5000], want[0x5000] = {0};

	noise_fill(0, want, 0x1800);
	noise_fill(0x90000, want + 0x1800, 0x1800);
	cr_assert(physmem_read(pm, 0, buf, sizeof(buf)));
	cr_assert_arr_eq(buf, want, sizeof(buf));
	cr_assert(physmem_read(pm, 0x17fe, buf, 4));
	cr_assert_arr_eq(buf, want + 0x17fe, 4);
	cr_assert(physmem_read(pm, 0x2ffe, buf, 4));
	cr_assert_arr_eq(buf, want + 0x2ffe, 4);
	cr_assert_not(physmem_read(pm, 0x4ffe, buf, 4));
	physmem_free(pm);
}

Test(physmem, zero_runs_cost_no_read)
{
	struct physmem *pm = over(RUNS({0, 1 << 20, 0, Z}));
	uint8_t buf[64] = {1}, large[1 << 17];
	unsigned before = noise.reads;

	cr_assert(physmem_read(pm, 0x1234, buf, 64));
	cr_assert_eq(buf[0], 0);
	cr_assert(physmem_read(pm, 0, large, sizeof(large)));
	cr_assert_eq(noise.reads, before);
	cr_assert_eq(physmem_stats(pm).pages_touched, 0);
	physmem_free(pm);
}

Test(physmem, states_stay_apart)
{
	struct physmem *pm = over(RUNS({0x1000, 0x1000, 0, P}, {0x3000, 0x1000, 0, Z}));

	cr_assert_eq(physmem_state(pm, 0xfff), MEM_ABSENT);
	cr_assert_eq(physmem_state(pm, 0x1fff), MEM_PRESENT);
	cr_assert_eq(physmem_state(pm, 0x2000), MEM_ABSENT);
	cr_assert_eq(physmem_state(pm, 0x3000), MEM_ZERO);
	cr_assert_eq(physmem_state(pm, 0x4000), MEM_ABSENT);
	physmem_free(pm);
}

Test(physmem, bulk_fills_gaps_and_counts_what_leads)
{
	struct physmem *pm = over(
		RUNS({0, 0x2000, 0, P}, {0x2000, 0x1000, 0x70000, P}, {0x4000, 0x1000, 0x4000, P}));
	uint8_t buf[0x6000], want[0x6000] = {0};

	noise_fill(0, want, 0x2000);
	noise_fill(0x70000, want + 0x2000, 0x1000);
	noise_fill(0x4000, want + 0x4000, 0x1000);
	memset(buf, 0xee, sizeof(buf));
	cr_assert_eq(physmem_read_bulk(pm, 0, buf, sizeof(buf)), 0x3000);
	cr_assert_arr_eq(buf, want, sizeof(buf));
	cr_assert_eq(physmem_read_bulk(pm, 0x3000, buf, 0x3000), 0);
	cr_assert_arr_eq(buf, want + 0x3000, 0x3000);
	physmem_free(pm);
}

Test(physmem, a_bad_page_is_absent_and_tried_once)
{
	struct physmem *pm = over(RUNS({0, 0x40000, 0, P}));
	static uint8_t buf[0x40000], want[0x40000];

	noise_fill(0, want, sizeof(want));
	memset(want + 0x3000, 0, 0x1000);
	noise.bad_off = 0x3000;
	noise.bad_n = 8;
	cr_assert(physmem_read(pm, 0x2ff8, buf, 8));
	cr_assert_not(physmem_read(pm, 0x2ff8, buf, 16));
	unsigned before = noise.reads;
	cr_assert_not(physmem_read(pm, 0x3800, buf, 8));
	cr_assert_eq(noise.reads, before);
	cr_assert_eq(physmem_state(pm, 0x3800), MEM_ABSENT);
	cr_assert_eq(physmem_read_bulk(pm, 0, buf, sizeof(buf)), 0x3000);
	cr_assert_arr_eq(buf, want, sizeof(buf));
	cr_assert_not(physmem_read(pm, 0, buf, sizeof(buf)));
	cr_assert_eq(physmem_stats(pm).unreadable, 1);
	noise.bad_n = 0;
	physmem_free(pm);
}

// What a failed read has left in a place of the cache must not be taken for the page before it.
Test(physmem, a_bad_page_does_not_spoil_the_cache)
{
	struct physmem *pm = over(RUNS({0, 64 << 20, 0, P}));
	uint8_t buf[8], want[8];

	noise_fill(0x10, want, 8);
	noise.odd_pages_bad = true;
	for (uint64_t pa = 0x1000; pa < 64 << 20; pa += 0x2000) {
		cr_assert(physmem_read(pm, 0x10, buf, 8));
		cr_assert_arr_eq(buf, want, 8);
		cr_assert_not(physmem_read(pm, pa, buf, 8));
	}
	noise.odd_pages_bad = false;
	physmem_free(pm);
}

Test(physmem, statistics_count_distinct_pages)
{
	struct physmem *pm = over(RUNS({0, 0x10000, 0, P}, {UINT64_C(1) << 60, 0x10000, 0, P}));
	uint8_t buf[0x10000];

	for (int i = 0; i < 3; i++)
		cr_assert(physmem_read(pm, 0x5ff8, buf, 16));
	cr_assert(physmem_read(pm, (UINT64_C(1) << 60) + 5, buf, 1));
	cr_assert_eq(physmem_stats(pm).pages_touched, 3);
	cr_assert_eq(physmem_stats(pm).page_reads, 3);
	cr_assert_eq(physmem_read_bulk(pm, 0, buf, sizeof(buf)), sizeof(buf));
	cr_assert_eq(physmem_stats(pm).pages_touched, 17);
	cr_assert_eq(physmem_stats(pm).page_reads, 19);
	physmem_free(pm);
}

Test(physmem, moving_keeps_the_statistics)
{
	struct physmem *pm = over(RUNS({0, 0x8000, 0, P}));
	uint8_t buf[8], want[8];

	cr_assert(physmem_read(pm, 0x5000, buf, 8));
	cr_assert_null(physmem_move(pm, RUNS({0, 0x4000, 0, P}, {0x100000000, 0x4000, 0x4000, P})));
	cr_assert_not(physmem_read(pm, 0x5000, buf, 8));
	cr_assert(physmem_read(pm, 0x100001000, buf, 8));
	noise_fill(0x5000, want, 8);
	cr_assert_arr_eq(buf, want, 8);
	cr_assert_eq(physmem_stats(pm).pages_touched, 1);
	cr_assert_eq(physmem_stats(pm).page_reads, 2);
	cr_assert_not_null(physmem_move(pm, NULL, 0));
	cr_assert(physmem_read(pm, 0x100001000, buf, 8));
	physmem_free(pm);
}

// --- Random reads against a model ---

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

// Runs of all sizes and states, aligned and not, some meeting, some apart; more than a cache.
static size_t random_runs(struct mem_run *runs, size_t max)
{
	uint64_t pa = 0;
	size_t n = 0;

	while (n < max && pa < 64 << 20) {
		uint64_t mask = next_random() % 2 ? ~UINT64_C(0xfff) : ~UINT64_C(0x1ff);
		pa += next_random() % 3 ? 0 : next_random() % 0x9000 & mask;
		uint64_t size = (next_random() % 0x40000 & mask) + 0x200;
		runs[n++] = (struct mem_run){pa, size, pa * 3 + 0x123, next_random() % 5 ? P : Z};
		pa += size;
	}
	return n;
}

static bool model_byte(const struct mem_run *runs, size_t n, uint64_t pa, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		if (pa - runs[i].pa < runs[i].size) {
			*out = runs[i].state == Z ? 0 : noise_at(runs[i].off + pa - runs[i].pa);
			return true;
		}
	return false;
}

static void compare(struct physmem *pm, const struct mem_run *runs, size_t n, uint64_t pa,
		    size_t size)
{
	uint8_t buf[256], want[256];
	bool all = true;
	size_t lead = 0;

	for (size_t i = 0; i < size; i++) {
		want[i] = 0;
		all &= pa + i >= pa && model_byte(runs, n, pa + i, &want[i]);
		lead += all;
	}
	cr_assert_eq(physmem_read(pm, pa, buf, size), all);
	if (all)
		cr_assert_arr_eq(buf, want, size);
	if (pa % 7 == 0) {
		cr_assert_eq(physmem_read_bulk(pm, pa, buf, size), lead);
		cr_assert_arr_eq(buf, want, size);
	}
}

Test(physmem, random_reads_are_what_the_model_says)
{
	struct mem_run runs[300];
	size_t n = random_runs(runs, 300);
	struct physmem *pm = over(runs, n);

	for (int i = 0; i < 60000; i++) {
		// Half of them where the runs meet.
		uint64_t pa = next_random() % 2 ? next_random() % physmem_end(pm)
						: runs[next_random() % n].pa - 16;
		static const uint8_t sizes[] = {1, 2, 4, 8, 8, 24, 64, 200};
		compare(pm, runs, n, pa, sizes[next_random() % 8]);
	}
	physmem_free(pm);
}
