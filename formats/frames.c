// SPDX-License-Identifier: LGPL-2.1-or-later
// Extents in order of arrival -> sorted runs: at once where they ascend, else from the last one
// back, with a set of the frames that were seen.
#include "formats/frames.h"

#include "src/phys/pageset.h"

#include <stdlib.h>

void frames_fini(struct frames *f)
{
	vec_fini(&f->extents);
}

static bool follows(const struct frame_extent *e, uint64_t frame, uint64_t off)
{
	if (frame != e->frame + e->n)
		return false;
	return e->off == FRAMES_GONE ? off == FRAMES_GONE : off == e->off + e->n * PAGE_SIZE;
}

void frames_add(struct frames *f, uint64_t frame, uint64_t off)
{
	size_t n = f->extents.n;

	if (frame >= FRAMES_END)
		f->n_impossible++;
	else if (n > 0 && follows(&f->extents.at[n - 1], frame, off))
		f->extents.at[n - 1].n++;
	else
		vec_push(&f->extents, ((struct frame_extent){frame, 1, off}));
}

typedef VEC(struct mem_run) run_vec;

static void push_run(run_vec *out, uint64_t frame, uint64_t off, uint64_t n)
{
	struct mem_run *last = out->n ? &out->at[out->n - 1] : NULL;
	uint64_t pa = frame << PAGE_SHIFT, size = n << PAGE_SHIFT;

	if (off == FRAMES_GONE)
		return;
	if (last && pa == last->pa + last->size && off == last->off + last->size)
		last->size += size;
	else
		vec_push(out, ((struct mem_run){pa, size, off, MEM_PRESENT}));
}

static bool ascend(const struct frames *f)
{
	for (size_t i = 1; i < f->extents.n; i++)
		if (f->extents.at[i].frame < f->extents.at[i - 1].frame + f->extents.at[i - 1].n)
			return false;
	return true;
}

// The pages of one extent that nothing later gave.
static void push_unseen(struct frames *f, struct pageset *seen, const struct frame_extent *e,
			run_vec *out)
{
	for (uint64_t i = 0; i < e->n; i++) {
		if (pageset_has(seen, e->frame + i)) {
			f->n_replaced++;
			continue;
		}
		push_run(out, e->frame + i,
			 e->off == FRAMES_GONE ? FRAMES_GONE : e->off + i * PAGE_SIZE, 1);
	}
	pageset_add(seen, e->frame, e->n);
}

static int by_address(const void *a, const void *b)
{
	const struct mem_run *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

static void merge(run_vec *runs)
{
	size_t n = runs->n;

	runs->n = 0;
	for (size_t i = 0; i < n; i++) {
		struct mem_run r = runs->at[i];
		push_run(runs, r.pa >> PAGE_SHIFT, r.off, r.size >> PAGE_SHIFT);
	}
}

static void settle_disorder(struct frames *f, run_vec *out)
{
	struct pageset seen = {0};

	for (size_t i = f->extents.n; i-- > 0;)
		push_unseen(f, &seen, &f->extents.at[i], out);
	pageset_fini(&seen);
	if (out->n)
		qsort(out->at, out->n, sizeof(*out->at), by_address);
	merge(out);
}

struct mem_run *frames_settle(struct frames *f, size_t *n_runs)
{
	run_vec out = {0};
	const struct frame_extent *e;

	if (!ascend(f))
		settle_disorder(f, &out);
	else
		vec_foreach (e, &f->extents)
			push_run(&out, e->frame, e->off, e->n);
	*n_runs = out.n;
	return out.at;
}
