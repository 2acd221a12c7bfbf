// SPDX-License-Identifier: LGPL-2.1-or-later
// The checked, sorted runs of one physical memory, and the search in them.
#ifndef VMI_PHYS_RUNS_H
#define VMI_PHYS_RUNS_H

#include "src/phys/physmem.h"

struct runs {
	struct mem_run *at;
	uint64_t *rank; // of the run's first page among the pages of all runs
	size_t n;
	size_t last; // where the last search ended
};

// Copies src, or says why it is no memory. dst is untouched then.
struct err *runs_init(struct runs *dst, const struct mem_run *src, size_t n);
void runs_fini(struct runs *r);

// The run that holds pa, or else the next one above it, or else NULL.
const struct mem_run *runs_at_or_above(struct runs *r, uint64_t pa);

// The number of the page that holds pa, counted over the pages of all runs. It stays the same
// when the runs move but keep their order and sizes.
uint64_t runs_rank(const struct runs *r, const struct mem_run *run, uint64_t pa);

static inline bool run_has(const struct mem_run *run, uint64_t pa)
{
	return run && pa - run->pa < run->size;
}

#endif
