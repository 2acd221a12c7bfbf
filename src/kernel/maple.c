// SPDX-License-Identifier: LGPL-2.1-or-later
// Maple trees: Linux >= 6.1, include/linux/maple_tree.h.
//
// The root is a node if its low two bits are 10b and it is above 4096, else the entry of index 0.
// Slots of a leaf hold entries, those of other nodes only nodes. A node's address is the pointer
// without its low byte, bits 3..6 are its type. Pivot i is the last index of slot i; a pivot of 0
// after slot 0, or one at the parent's end, ends the node.
#include "src/kernel/iter.h"

enum { MAPLE_DENSE, MAPLE_LEAF_64, MAPLE_RANGE_64, MAPLE_ARANGE_64 };
enum { MAX_DEPTH = 31, MAX_SLOTS = 64 };

struct maple {
	struct kernel *k;
	uint64_t n, max;     // nodes and entries seen
	enum iter_end worst; // of what was left out
	bool (*visit)(void *arg, uint64_t first, uint64_t last, uint64_t entry);
	void *arg;
};

// Where a node's kind keeps its pivots and slots.
struct shape {
	enum field pivot, slot;
	size_t n_slots;
	bool leaf;
};

static bool is_root_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > 4096;
}

static bool shape_of(const struct kernel *k, uint64_t entry, struct shape *s)
{
	unsigned type = entry >> 3 & 0xf;

	if (type == MAPLE_ARANGE_64)
		*s = (struct shape){F(maple_arange_64, pivot), F(maple_arange_64, slot), 0, false};
	else if (type == MAPLE_LEAF_64 || type == MAPLE_RANGE_64)
		*s = (struct shape){F(maple_range_64, pivot), F(maple_range_64, slot), 0,
				    type == MAPLE_LEAF_64};
	else
		return false; // dense nodes are declared, but no kernel up to 7.2 makes one
	s->n_slots = k->field[s->slot].n_elem;
	return k_has(k, s->pivot) && s->n_slots > 0 && s->n_slots <= MAX_SLOTS;
}

// ITER_MORE, for the walk goes on elsewhere.
static enum iter_end left_out(struct maple *m, enum iter_end why)
{
	m->worst = why;
	return ITER_MORE;
}

static enum iter_end scan_value(struct maple *m, uint64_t entry, uint64_t first, uint64_t last)
{
	if (entry <= 4096) // a hole, or an internal mark such as XA_ZERO_ENTRY
		return ITER_MORE;
	if ((entry & 3) == 2) // a node, where no node can be
		return left_out(m, ITER_TORN);
	if (++m->n > m->max)
		return ITER_LIMIT;
	return m->visit(m->arg, first, last, entry) ? ITER_MORE : ITER_END;
}

// The last index of slot i of a node that ends at last.
static bool slot_end(struct maple *m, uint64_t node, const struct shape *s, size_t i, uint64_t last,
		     uint64_t *end)
{
	*end = last;
	if (i == s->n_slots - 1)
		return true;
	if (!k_get_at(m->k, node, s->pivot, i, end))
		return false;
	if (*end == 0 && i > 0)
		*end = last; // an unused pivot: this slot is the last one
	return true;
}

// Depth is bounded by MAX_DEPTH.
static enum iter_end scan_node(struct maple *m, uint64_t entry, uint64_t first, uint64_t last,
			       unsigned depth) // NOLINT(misc-no-recursion)
{
	uint64_t node = entry & ~0xffULL, end, slot;
	struct shape s;

	if (++m->n > m->max)
		return ITER_LIMIT;
	if (entry == 0)
		return ITER_MORE;
	if (!shape_of(m->k, entry, &s))
		return left_out(m, ITER_FAULT);
	if (depth > MAX_DEPTH)
		return left_out(m, ITER_CYCLE);
	for (size_t i = 0; i < s.n_slots; i++) {
		if (!slot_end(m, node, &s, i, last, &end) ||
		    !k_get_at(m->k, node, s.slot, i, &slot))
			return left_out(m, ITER_FAULT);
		if (end < first || end > last)
			return left_out(m, ITER_TORN);
		enum iter_end e = s.leaf ? scan_value(m, slot, first, end)
					 : scan_node(m, slot, first, end, depth + 1);
		if (e != ITER_MORE)
			return e;
		if (end == last)
			break;
		first = end + 1;
	}
	return ITER_MORE;
}

enum iter_end maple_scan(struct kernel *k, uint64_t tree, uint64_t max,
			 bool (*visit)(void *, uint64_t, uint64_t, uint64_t), void *arg)
{
	struct maple m = {.k = k, .max = max, .visit = visit, .arg = arg, .worst = ITER_END};
	uint64_t root;

	if (!k_get(k, tree, F(maple_tree, ma_root), &root))
		return ITER_FAULT;
	enum iter_end e = is_root_node(root) ? scan_node(&m, root, 0, k->va_mask, 0)
					     : scan_value(&m, root, 0, 0);
	return e == ITER_MORE ? m.worst : e;
}
