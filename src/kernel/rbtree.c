// SPDX-License-Identifier: LGPL-2.1-or-later
// In-order walk of a red-black tree by its parent links, as lib/rbtree.c's rb_first and rb_next do.
#include "src/kernel/iter.h"

enum { MAX_HEIGHT = 128 }; // twice the height of 2^64 nodes

static uint64_t left_of(struct kernel *k, uint64_t node)
{
	return k_or0(k, node, F(rb_node, rb_left));
}

static uint64_t right_of(struct kernel *k, uint64_t node)
{
	return k_or0(k, node, F(rb_node, rb_right));
}

static uint64_t parent_of(struct kernel *k, uint64_t node)
{
	return k_or0(k, node, F(rb_node, __rb_parent_color)) & ~3ULL;
}

// The leftmost node below; 0 if the way down is longer than any tree's.
static uint64_t leftmost(struct kernel *k, uint64_t node)
{
	for (int i = 0; i < MAX_HEIGHT; i++) {
		uint64_t l = left_of(k, node);
		if (!l)
			return node;
		node = l;
	}
	return 0;
}

void rb_begin(struct rb_iter *it, struct kernel *k, uint64_t root_va, uint64_t max)
{
	uint64_t root;

	*it = (struct rb_iter){.k = k, .max = max};
	if (!k_u64(k, root_va, &root))
		it->end = ITER_FAULT;
	else if (root && !(it->next = leftmost(k, root)))
		it->end = ITER_CYCLE;
}

static uint64_t successor(struct rb_iter *it, uint64_t node)
{
	uint64_t right = right_of(it->k, node);

	if (right) {
		uint64_t l = leftmost(it->k, right);
		if (!l)
			it->end = ITER_CYCLE;
		return l;
	}
	for (int i = 0; i < MAX_HEIGHT; i++) {
		uint64_t parent = parent_of(it->k, node);
		if (!parent || right_of(it->k, parent) != node)
			return parent;
		node = parent;
	}
	it->end = ITER_CYCLE;
	return 0;
}

bool rb_next(struct rb_iter *it, uint64_t *node)
{
	if (it->end != ITER_MORE)
		return false;
	if (!it->next) {
		it->end = ITER_END;
		return false;
	}
	if (!k_plausible(it->next)) {
		it->end = ITER_FAULT;
		return false;
	}
	if (++it->n > it->max) {
		it->end = ITER_LIMIT;
		return false;
	}
	*node = it->next;
	it->next = successor(it, *node);
	return true;
}
