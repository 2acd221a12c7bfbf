// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs: checks once, binary search with a memory of where it was last.
#include "src/phys/runs.h"

#include "src/base/mem.h"

#include <string.h>

typedef unsigned long long ull;

static struct err *check_run(const struct mem_run *r, uint64_t least)
{
	uint64_t end;

	if (r->state != MEM_PRESENT && r->state != MEM_ZERO)
		return err_new(ERR_INTERNAL, "a memory range at 0x%llx has no state", (ull)r->pa);
	if (r->size == 0)
		return err_new(ERR_FORMAT, "the memory range at 0x%llx is empty", (ull)r->pa);
	if (__builtin_add_overflow(r->pa, r->size, &end))
		return err_new(ERR_FORMAT,
			       "the memory range at 0x%llx of 0x%llx bytes passes the end"
			       " of the address space",
			       (ull)r->pa, (ull)r->size);
	if (r->state == MEM_PRESENT && __builtin_add_overflow(r->off, r->size, &end))
		return err_new(ERR_FORMAT, "the memory range at 0x%llx lies beyond any file",
			       (ull)r->pa);
	if (r->pa < least)
		return err_new(ERR_FORMAT, "the memory range at 0x%llx overlaps the one before it",
			       (ull)r->pa);
	return NULL;
}

static struct err *check(const struct mem_run *src, size_t n)
{
	uint64_t least = 0;

	if (n == 0)
		return err_new(ERR_FORMAT, "there is no memory in it");
	for (size_t i = 0; i < n; i++) {
		TRY(check_run(&src[i], least));
		least = src[i].pa + src[i].size;
	}
	return NULL;
}

static uint64_t page_of(uint64_t pa)
{
	return pa >> PAGE_SHIFT;
}

// Two runs that meet inside a page share its number.
static void number_pages(struct runs *r)
{
	uint64_t next = 0, last_page = UINT64_MAX;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t first = page_of(r->at[i].pa);
		r->rank[i] = next - (first == last_page);
		last_page = page_of(r->at[i].pa + (r->at[i].size - 1));
		next = r->rank[i] + (last_page - first) + 1;
	}
}

struct err *runs_init(struct runs *dst, const struct mem_run *src, size_t n)
{
	TRY(check(src, n));
	dst->n = n;
	dst->last = 0;
	dst->at = mem_alloc(n * sizeof(*src));
	memcpy(dst->at, src, n * sizeof(*src));
	dst->rank = mem_alloc(n * sizeof(*dst->rank));
	number_pages(dst);
	return NULL;
}

void runs_fini(struct runs *r)
{
	mem_free(r->at);
	mem_free(r->rank);
	*r = (struct runs){0};
}

// The first run whose end is above pa.
static size_t search(const struct runs *r, uint64_t pa)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (r->at[mid].pa + r->at[mid].size > pa)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

const struct mem_run *runs_at_or_above(struct runs *r, uint64_t pa)
{
	if (run_has(&r->at[r->last], pa))
		return &r->at[r->last];
	size_t i = search(r, pa);
	if (i == r->n)
		return NULL;
	r->last = i;
	return &r->at[i];
}

uint64_t runs_rank(const struct runs *r, const struct mem_run *run, uint64_t pa)
{
	return r->rank[run - r->at] + (page_of(pa) - page_of(run->pa));
}
