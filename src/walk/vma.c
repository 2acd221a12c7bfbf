// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks the mappings of an mm.
#include "src/walk/vma.h"

struct visitor {
	bool (*visit)(void *arg, uint64_t vma);
	void *arg;
};

static bool maple_entry(void *arg, uint64_t first, uint64_t last, uint64_t entry)
{
	const struct visitor *v = arg;

	(void)first;
	(void)last;
	return v->visit(v->arg, entry);
}

// The list is in the order of addresses; one that is not, runs in a circle or elsewhere.
static bool is_behind(struct walk *w, uint64_t vma, uint64_t *end)
{
	uint64_t start;

	if (!k_get(w->k, vma, F(vm_area_struct, vm_start), &start))
		return true; // the visitor will see
	return start >= *end && k_get(w->k, vma, F(vm_area_struct, vm_end), end);
}

static enum iter_end each_in_list(struct walk *w, uint64_t mm, const struct visitor *v)
{
	struct chain_iter it;
	uint64_t vma, end = 0;

	chain_begin(&it, w->k, k_or0(w->k, mm, F(mm_struct, mmap)),
		    w->k->field[F(vm_area_struct, vm_next)].off, MAX_VMAS);
	while (chain_next(&it, &vma)) {
		if (!is_behind(w, vma, &end))
			return ITER_TORN;
		if (!v->visit(v->arg, vma))
			return ITER_END;
	}
	return it.end;
}

enum iter_end vma_each(struct walk *w, uint64_t mm, bool (*visit)(void *, uint64_t), void *arg)
{
	struct visitor v = {visit, arg};

	if (k_has(w->k, F(mm_struct, mm_mt)))
		return maple_scan(w->k, k_field_va(w->k, mm, F(mm_struct, mm_mt)), MAX_VMAS,
				  maple_entry, &v);
	return each_in_list(w, mm, &v);
}
