// SPDX-License-Identifier: LGPL-2.1-or-later
// Looks up entries of xarrays: include/linux/xarray.h. Entries with low bits 10b are the tree's
// own: nodes above 4096, else signs that stand for nothing here.
#include "src/kernel/iter.h"

enum { MAX_SHIFT = 64 };

static bool is_internal(uint64_t entry)
{
	return (entry & 3) == 2;
}

static bool is_node(uint64_t entry)
{
	return is_internal(entry) && entry > 4096;
}

// "As that slot of this node", always an earlier one: xa_is_sibling(). Other signs are larger than
// any slot.
static bool is_sibling(uint64_t entry, uint64_t slot)
{
	return is_internal(entry) && entry >> 2 < slot;
}

// What is in a slot of a node, or in the one whose sibling it is: *slot then is that one. No node
// has siblings.
static bool load_slot(struct kernel *k, uint64_t node, uint64_t *slot, uint64_t *at)
{
	if (!k_get_at(k, node, F(xa_node, slots), *slot, at))
		return false;
	if (!is_sibling(*at, *slot))
		return true;
	*slot = *at >> 2;
	return k_get_at(k, node, F(xa_node, slots), *slot, at) && !is_node(*at);
}

bool xa_load(struct kernel *k, uint64_t head_va, uint64_t index, uint64_t *entry, uint64_t *first)
{
	uint64_t above = MAX_SHIFT, slots = k->field[F(xa_node, slots)].n_elem, shift, at;
	uint64_t from = index;

	if (!head_va || !k_ptr(k, head_va, &at))
		return false;
	if (!is_node(at) && index)
		at = 0;
	for (; is_node(at); above = shift) {
		uint64_t node = at - 2;
		if (!k_get(k, node, F(xa_node, shift), &shift) || shift >= above || !slots)
			return false;
		uint64_t all = index >> shift, slot = all % slots;
		if (above == MAX_SHIFT && all >= slots)
			at = 0; // beyond what the tree has
		else if (!load_slot(k, node, &slot, &at))
			return false;
		from = (all - all % slots + slot) << shift;
	}
	if (first)
		*first = from;
	*entry = is_internal(at) ? 0 : at;
	return true;
}

struct xa_walk {
	struct kernel *k;
	uint64_t left;
	bool (*visit)(void *arg, uint64_t index, uint64_t entry);
	void *arg;
};

// above: the shift of the node that leads here, so that the depth has an end. ITER_MORE: go on.
static enum iter_end each_below(struct xa_walk *x, uint64_t at, uint64_t index, uint64_t above)
{
	uint64_t slots = x->k->field[F(xa_node, slots)].n_elem, shift, entry;

	if (!is_internal(at))
		return at == 0 || x->visit(x->arg, index, at) ? ITER_MORE : ITER_END;
	if (!is_node(at))
		return ITER_MORE;
	if (x->left == 0)
		return ITER_LIMIT;
	x->left--;
	if (!k_get(x->k, at - 2, F(xa_node, shift), &shift))
		return ITER_FAULT;
	if (shift >= above)
		return ITER_TORN;
	for (uint64_t i = 0; i < slots; i++) {
		if (!k_get_at(x->k, at - 2, F(xa_node, slots), i, &entry))
			return ITER_FAULT;
		enum iter_end end = each_below(x, entry, index + (i << shift), shift);
		if (end != ITER_MORE)
			return end;
	}
	return ITER_MORE;
}

enum iter_end xa_each(struct kernel *k, uint64_t head_va, uint64_t *budget,
		      bool (*visit)(void *arg, uint64_t index, uint64_t entry), void *arg)
{
	struct xa_walk x = {k, *budget, visit, arg};
	uint64_t at;

	if (!head_va || !k_ptr(k, head_va, &at))
		return ITER_FAULT;
	enum iter_end end = each_below(&x, at, 0, MAX_SHIFT);
	*budget = x.left;
	return end == ITER_MORE ? ITER_END : end;
}

struct xa_sum {
	struct kernel *k;
	uint64_t left, pointers;
};

// A slot of a node of this shift. Signs at or below 64 say "as the slot before".
static enum iter_end count_below(struct xa_sum *x, uint64_t node, uint64_t above)
{
	uint64_t slots = x->k->field[F(xa_node, slots)].n_elem, shift, entry;
	bool is_pointer = false; // what the last slot of its own has

	if (x->left == 0)
		return ITER_LIMIT;
	x->left--;
	if (!k_get(x->k, node, F(xa_node, shift), &shift))
		return ITER_FAULT;
	if (shift >= above)
		return ITER_TORN;
	for (uint64_t i = 0; i < slots; i++) {
		if (!k_get_at(x->k, node, F(xa_node, slots), i, &entry))
			return ITER_FAULT;
		if (is_node(entry)) {
			enum iter_end end = count_below(x, entry - 2, shift);
			if (end != ITER_END)
				return end;
			is_pointer = false;
		} else if (!is_internal(entry)) {
			is_pointer = entry && !(entry & 1);
		}
		x->pointers += is_pointer && !is_node(entry) ? 1ULL << shift : 0;
	}
	return ITER_END;
}

enum iter_end xa_count(struct kernel *k, uint64_t head_va, uint64_t *budget, uint64_t *n)
{
	struct xa_sum x = {.k = k, .left = *budget};
	enum iter_end end = ITER_END;
	uint64_t at;

	if (!head_va || !k_ptr(k, head_va, &at))
		return ITER_FAULT;
	if (is_node(at))
		end = count_below(&x, at - 2, MAX_SHIFT);
	else
		x.pointers = at && !is_internal(at) && !(at & 1);
	*n = x.pointers;
	*budget = x.left;
	return end;
}
