// SPDX-License-Identifier: LGPL-2.1-or-later
// In-order walk of a red-black tree by its parent links, as lib/rbtree.c's rb_first and rb_next do.
//
// A child counts only if it names the node as its parent, so that each node is reached by one way
// alone: what is visited is a tree, whatever the links say.
#include "src/kernel/iter.h"

enum { MAX_DEPTH = 128 }; // of a balanced tree of 2^64 nodes: no way is twice as long as another

static bool parent_of(struct kernel *k, uint64_t node, uint64_t *parent)
{
	uint64_t v;

	if (!k_get(k, node, F(rb_node, __rb_parent_color), &v))
		return false;
	*parent = v & ~3ULL; // the low bits are the colour
	return true;
}

static uint64_t left_out(struct rb_iter *it, enum iter_end why)
{
	it->worst = why;
	return 0;
}

// A child, or 0 for none.
static uint64_t child_of(struct rb_iter *it, uint64_t node, enum field side)
{
	uint64_t child, parent;

	if (!k_get(it->k, node, side, &child))
		return left_out(it, ITER_FAULT);
	if (child == 0)
		return 0;
	if (child == it->root)
		return left_out(it, ITER_CYCLE);
	if (!k_plausible(it->k, child) || !parent_of(it->k, child, &parent))
		return left_out(it, ITER_FAULT);
	return parent == node ? child : left_out(it, ITER_TORN);
}

static uint64_t leftmost(struct rb_iter *it, uint64_t node)
{
	uint64_t left;

	for (unsigned depth = 0; (left = child_of(it, node, F(rb_node, rb_left))); depth++) {
		if (depth >= MAX_DEPTH)
			return left_out(it, ITER_FAULT);
		node = left;
	}
	return node;
}

void rb_begin(struct rb_iter *it, struct kernel *k, uint64_t root_va, uint64_t max)
{
	*it = (struct rb_iter){.k = k, .max = max, .worst = ITER_END};
	if (!k_ptr(k, root_va, &it->root) || (it->root && !k_plausible(it->k, it->root)))
		it->end = ITER_FAULT;
	else if (it->root)
		it->next = leftmost(it, it->root);
}

// Up to the first node of which this is in the left half; 0 at the root.
static uint64_t climb(struct rb_iter *it, uint64_t node)
{
	uint64_t parent;

	for (; node != it->root; node = parent)
		if (!parent_of(it->k, node, &parent))
			return left_out(it, ITER_FAULT);
		else if (k_or0(it->k, parent, F(rb_node, rb_left)) == node)
			return parent;
	return 0;
}

static uint64_t successor(struct rb_iter *it, uint64_t node)
{
	uint64_t right = child_of(it, node, F(rb_node, rb_right));

	if (right && right == k_or0(it->k, node, F(rb_node, rb_left)))
		right = left_out(it, ITER_TORN);
	return right ? leftmost(it, right) : climb(it, node);
}

bool rb_next(struct rb_iter *it, uint64_t *node)
{
	if (it->end != ITER_MORE)
		return false;
	if (!it->next) {
		it->end = it->worst;
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
