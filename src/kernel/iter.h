// SPDX-License-Identifier: LGPL-2.1-or-later
// Bounded walks over the kernel's lists and trees. Each ends with a reason; none can go on for
// ever.
#ifndef VMI_KERNEL_ITER_H
#define VMI_KERNEL_ITER_H

#include "src/kernel/kernel.h"

enum iter_end {
	ITER_MORE, // not yet at the end
	ITER_END,
	ITER_CYCLE, // came back to a node other than the head
	ITER_FAULT, // a link could not be read, or is no kernel address
	ITER_LIMIT, // more nodes than the bound
	ITER_TORN,  // links contradict each other
};
const char *iter_end_text(enum iter_end e);

// --- struct list_head ---
struct list_iter {
	struct kernel *k;
	uint64_t head, at, mark; // mark: Brent's tortoise
	uint64_t n, max, mark_n;
	enum iter_end end;
	uint64_t bad_back; // first node whose prev is not the one before it; 0: none
	uint64_t last, rechecked;
};
// head is the address of the list's head, which is not visited.
void list_begin(struct list_iter *it, struct kernel *k, uint64_t head, uint64_t max);
bool list_next(struct list_iter *it, uint64_t *node);

// --- struct hlist_head, hlist_nulls_head, and chains like them ---
struct chain_iter {
	struct kernel *k;
	uint64_t at, mark, n, max, mark_n, next_off;
	enum iter_end end;
	bool odd_ends; // an odd address is the end even if it can be a pointer (rhashtable)
	uint64_t last;
};
// first is the first node's address; next_off where in a node the next one's address is. Ends at
// NULL or at a nulls marker, an odd number.
void chain_begin(struct chain_iter *it, struct kernel *k, uint64_t first, uint64_t next_off,
		 uint64_t max);
bool chain_next(struct chain_iter *it, uint64_t *node);

// --- struct rb_root: nodes in order ---
struct rb_iter {
	struct kernel *k;
	uint64_t root, next, n, max;
	enum iter_end end, worst; // worst: of what was left out so far
};
// A child that can't be read, or does not say that the node is its parent, is left out with all
// below it; the end is then not ITER_END.
void rb_begin(struct rb_iter *it, struct kernel *k, uint64_t root_va, uint64_t max);
bool rb_next(struct rb_iter *it, uint64_t *node);

// --- struct maple_tree: entries in order ---
// The visitor gets each entry that is neither NULL nor internal, with its index range. What can't
// be read is left out, with all below it; the result is then not ITER_END.
enum iter_end maple_scan(struct kernel *k, uint64_t tree, uint64_t max,
			 bool (*visit)(void *arg, uint64_t first, uint64_t last, uint64_t entry),
			 void *arg);

// --- struct xarray, and radix trees and IDRs, which are laid out alike since 4.20 ---
// The entry at an index; 0 if there is none. False if the way there can't be read, or makes no
// sense. head_va is the address of xa_head. *first, if it is not NULL: the first index that the
// entry stands for, since one of a higher order has many.
bool xa_load(struct kernel *k, uint64_t head_va, uint64_t index, uint64_t *entry, uint64_t *first);

// Visits the entries in order until the visitor returns false. The budget, nodes to read, is
// counted down.
enum iter_end xa_each(struct kernel *k, uint64_t head_va, uint64_t *budget,
		      bool (*visit)(void *arg, uint64_t index, uint64_t entry), void *arg);

// How many indexes have a pointer, not a number: the pages of a page cache. An entry of a higher
// order counts for its whole range. The budget, nodes to read, is counted down.
enum iter_end xa_count(struct kernel *k, uint64_t head_va, uint64_t *budget, uint64_t *n);

// --- struct rhashtable: the rhash_head of each object ---
enum iter_end rhash_scan(struct kernel *k, uint64_t table, uint64_t max,
			 void (*visit)(void *arg, uint64_t rhash_head), void *arg);

#endif
