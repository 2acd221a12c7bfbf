// SPDX-License-Identifier: LGPL-2.1-or-later
// Red-black trees, maple trees and hash tables: order, holes, back edges, bombs.
#include "tests/unit/kernel_builder.h"

#include "src/base/vec.h"
#include "src/kernel/iter.h"

#include <criterion/criterion.h>

enum { MAX = 1000000 };
#define NOWHERE 0xffffc90000000000ULL

static struct guest *g;
static VEC(uint64_t) seen;

static void make(void)
{
	g = guest_new(4);
	(void)guest_struct(g, "rb_node");
	(void)guest_struct(g, "maple_tree");
	guest_place_array(g, F(maple_range_64, pivot), 8, 8, 15);
	guest_place_array(g, F(maple_range_64, slot), 0x80, 8, 16);
	guest_place_array(g, F(maple_arange_64, pivot), 8, 8, 9);
	guest_place_array(g, F(maple_arange_64, slot), 0x50, 8, 10);
	(void)guest_struct(g, "rhashtable");
	(void)guest_struct(g, "rhash_head");
	(void)guest_struct(g, "bucket_table");
}

static void unmake(void)
{
	vec_fini(&seen);
	guest_free(g);
}

TestSuite(rb, .init = make, .fini = unmake);
TestSuite(maple, .init = make, .fini = unmake);
TestSuite(rhash, .init = make, .fini = unmake);

// --- red-black trees ---

static uint64_t node[32]; // of the tree under test, in order

static void link_rb(uint64_t parent, enum field side, uint64_t child)
{
	guest_set(g, parent, side, child);
	guest_set(g, child, F(rb_node, __rb_parent_color), parent | 1);
}

#define LEFT(p, c)  link_rb(node[p], F(rb_node, rb_left), node[c])
#define RIGHT(p, c) link_rb(node[p], F(rb_node, rb_right), node[c])

//       3
//    1     5
//   0 2   4 6
static uint64_t seven(void)
{
	uint64_t root = guest_alloc(g, 8);

	for (size_t i = 0; i < 7; i++)
		node[i] = guest_alloc(g, 64);
	LEFT(3, 1);
	RIGHT(3, 5);
	LEFT(1, 0);
	RIGHT(1, 2);
	LEFT(5, 4);
	RIGHT(5, 6);
	put_u64(g, root, node[3]);
	return root;
}

static void expect_rb(uint64_t root, uint64_t max, enum iter_end want, const char *order)
{
	struct rb_iter it;
	uint64_t n;
	char got[64] = "";
	size_t len = 0;

	rb_begin(&it, &g->k, root, max);
	while (rb_next(&it, &n))
		for (size_t i = 0; i < 7; i++)
			if (node[i] == n && len < 60)
				got[len++] = (char)('0' + i);
	cr_expect_str_eq(got, order);
	cr_expect_eq(it.end, want, "%s", iter_end_text(it.end));
}

Test(rb, nodes_come_in_order)
{
	expect_rb(seven(), MAX, ITER_END, "0123456");
	expect_rb(guest_alloc(g, 8), MAX, ITER_END, "");
}

Test(rb, a_single_node_is_a_tree)
{
	uint64_t root = seven();

	put_u64(g, root, node[6]);
	expect_rb(root, MAX, ITER_END, "6");
}

Test(rb, a_child_in_an_absent_page_loses_only_what_is_below_it)
{
	uint64_t root = seven();

	guest_set(g, node[3], F(rb_node, rb_left), NOWHERE);
	expect_rb(root, MAX, ITER_FAULT, "3456");
}

Test(rb, a_child_that_is_no_pointer_is_a_fault)
{
	uint64_t root = seven();

	guest_set(g, node[5], F(rb_node, rb_left), 0x4141);
	expect_rb(root, MAX, ITER_FAULT, "012356");
}

// 200 nodes, each the left child of the one before it.
Test(rb, a_way_longer_than_a_balanced_tree_has_is_a_fault)
{
	uint64_t root = guest_alloc(g, 8), top = guest_alloc(g, 64), parent = top, n;
	struct rb_iter it;

	put_u64(g, root, top);
	for (size_t i = 1; i < 200; i++) {
		uint64_t child = guest_alloc(g, 64);
		link_rb(parent, F(rb_node, rb_left), child);
		parent = child;
	}
	rb_begin(&it, &g->k, root, MAX);
	while (rb_next(&it, &n))
		;
	cr_expect_eq(it.end, ITER_FAULT);
	cr_expect_lt(it.n, 200);
}

Test(rb, an_edge_back_to_an_ancestor_is_not_followed)
{
	uint64_t root = seven();

	guest_set(g, node[4], F(rb_node, rb_right), node[5]);
	expect_rb(root, MAX, ITER_TORN, "0123456");
	guest_set(g, node[4], F(rb_node, rb_right), node[3]);
	expect_rb(root, MAX, ITER_CYCLE, "0123456");
}

Test(rb, a_node_that_is_its_own_child_is_visited_once)
{
	uint64_t root = seven();

	guest_set(g, node[4], F(rb_node, rb_left), node[4]);
	expect_rb(root, MAX, ITER_TORN, "0123456");
	guest_set(g, node[4], F(rb_node, __rb_parent_color), node[4]);
	expect_rb(root, MAX, ITER_TORN, "012356"); // it no longer is 5's child
}

Test(rb, a_root_that_is_below_itself_ends)
{
	uint64_t root = seven();

	LEFT(0, 3);
	expect_rb(root, MAX, ITER_CYCLE, "0123456");
}

Test(rb, one_child_on_both_sides_is_visited_once)
{
	uint64_t root = seven();

	guest_set(g, node[5], F(rb_node, rb_right), node[4]);
	expect_rb(root, MAX, ITER_TORN, "012345");
}

Test(rb, a_child_of_another_parent_is_not_followed)
{
	uint64_t root = seven();

	guest_set(g, node[6], F(rb_node, rb_left), node[0]);
	expect_rb(root, MAX, ITER_TORN, "0123456");
}

Test(rb, a_root_with_a_parent_is_still_the_top)
{
	uint64_t root = seven();

	put_u64(g, root, node[1]);
	expect_rb(root, MAX, ITER_END, "012");
}

Test(rb, a_root_that_is_nowhere_is_a_fault)
{
	uint64_t root = seven();

	put_u64(g, root, NOWHERE);
	expect_rb(root, MAX, ITER_FAULT, "");
	put_u64(g, root, 0x1234);
	expect_rb(root, MAX, ITER_FAULT, "");
	expect_rb(NOWHERE, MAX, ITER_FAULT, "");
}

Test(rb, no_more_nodes_come_than_were_asked_for)
{
	expect_rb(seven(), 3, ITER_LIMIT, "012");
}

Test(rb, a_tree_as_deep_as_a_list_is_walked)
{
	enum { N = 10000 };
	uint64_t root = guest_alloc(g, 8), at = guest_alloc(g, 64), n = 0, v;
	struct rb_iter it;

	put_u64(g, root, at);
	for (int i = 1; i < N; i++) {
		uint64_t below = guest_alloc(g, 64);
		link_rb(at, i % 2 ? F(rb_node, rb_left) : F(rb_node, rb_right), below);
		at = below;
	}
	rb_begin(&it, &g->k, root, MAX);
	while (rb_next(&it, &v))
		n++;
	cr_expect_eq(n, N);
	cr_expect_eq(it.end, ITER_END);
}

// --- maple trees ---

enum { LEAF = 1, RANGE = 2, ARANGE = 3 };

// A node's address as others point to it.
static uint64_t enode(uint64_t va, unsigned type)
{
	return va | type << 3 | 2;
}

static void slot(uint64_t n, unsigned type, size_t i, uint64_t entry, uint64_t pivot)
{
	bool alloc = type == ARANGE;
	size_t n_pivots = alloc ? 9 : 15;

	put_u64(g, n + (alloc ? 0x50 : 0x80) + i * 8, entry);
	if (i < n_pivots)
		put_u64(g, n + 8 + i * 8, pivot);
}

static uint64_t tree_of(uint64_t root)
{
	uint64_t tree = guest_alloc(g, 64);

	guest_set(g, tree, F(maple_tree, ma_root), root);
	return tree;
}

struct entry {
	uint64_t first, last, value;
};
static VEC(struct entry) entries;
static size_t stop_after;

static bool keep(void *arg, uint64_t first, uint64_t last, uint64_t value)
{
	(void)arg;
	vec_push(&entries, ((struct entry){first, last, value}));
	return entries.n != stop_after;
}

static enum iter_end scan(uint64_t root, uint64_t max)
{
	entries.n = 0;
	return maple_scan(&g->k, tree_of(root), max, keep, NULL);
}

static void expect_maple(uint64_t root, enum iter_end want, size_t n)
{
	enum iter_end end = scan(root, MAX);

	cr_expect_eq(end, want, "%s", iter_end_text(end));
	cr_expect_eq(entries.n, n, "%zu entries", entries.n);
	for (size_t i = 1; i < entries.n; i++)
		cr_expect_gt(entries.at[i].first, entries.at[i - 1].last, "out of order");
}

static void expect_entry(size_t i, uint64_t first, uint64_t last, uint64_t value)
{
	cr_assert_lt(i, entries.n);
	const struct entry *e = &entries.at[i];
	cr_expect(e->first == first && e->last == last && e->value == value,
		  "entry %zu: [%llx, %llx] %llx", i, (unsigned long long)e->first,
		  (unsigned long long)e->last, (unsigned long long)e->value);
}

#define ENTRY(i) (0xffff888000700000ULL + (i)*64ULL)

// Entries at [first + i * 16, first + i * 16 + 15], the last one up to `last`.
static uint64_t leaf(uint64_t first, size_t n, uint64_t last)
{
	uint64_t va = guest_alloc(g, 256);

	for (size_t i = 0; i < n; i++)
		slot(va, LEAF, i, ENTRY(first / 16 + i), i + 1 < n ? first + i * 16 + 15 : last);
	return va;
}

Test(maple, an_empty_tree_has_no_entries)
{
	expect_maple(0, ITER_END, 0);
}

Test(maple, a_tree_of_one_entry_has_no_node)
{
	expect_maple(ENTRY(3), ITER_END, 1);
	expect_entry(0, 0, 0, ENTRY(3));
}

Test(maple, a_leaf_gives_its_entries_with_their_ranges)
{
	uint64_t va = guest_alloc(g, 256);

	slot(va, LEAF, 0, 0, 0xfff); // nothing below 0x1000
	slot(va, LEAF, 1, ENTRY(1), 0x1fff);
	slot(va, LEAF, 2, 0, 0x2fff); // a hole
	slot(va, LEAF, 3, ENTRY(2), 0x3fff);
	slot(va, LEAF, 4, 0, UINT64_MAX);
	expect_maple(enode(va, LEAF), ITER_END, 2);
	expect_entry(0, 0x1000, 0x1fff, ENTRY(1));
	expect_entry(1, 0x3000, 0x3fff, ENTRY(2));
}

Test(maple, a_full_leaf_ends_at_its_last_slot)
{
	expect_maple(enode(leaf(0, 16, UINT64_MAX), LEAF), ITER_END, 16);
	expect_entry(15, 240, UINT64_MAX, ENTRY(15));
}

Test(maple, levels_are_walked_in_order)
{
	uint64_t top = guest_alloc(g, 256);

	slot(top, ARANGE, 0, enode(leaf(0, 4, 63), LEAF), 63);
	slot(top, ARANGE, 1, enode(leaf(64, 4, 127), LEAF), 127);
	slot(top, ARANGE, 2, enode(leaf(128, 2, UINT64_MAX), LEAF), UINT64_MAX);
	expect_maple(enode(top, ARANGE), ITER_END, 10);
	for (uint64_t i = 0; i < 9; i++)
		expect_entry(i, i * 16, i * 16 + 15, ENTRY(i));
}

Test(maple, marks_of_the_tree_itself_are_no_entries)
{
	uint64_t va = leaf(0, 4, UINT64_MAX);

	slot(va, LEAF, 1, 257 << 2 | 2, 31); // XA_ZERO_ENTRY
	slot(va, LEAF, 2, 0x402, 47);	     // internal, small
	expect_maple(enode(va, LEAF), ITER_END, 2);
}

Test(maple, a_node_among_the_entries_of_a_leaf_is_none)
{
	uint64_t va = leaf(0, 4, UINT64_MAX);

	slot(va, LEAF, 1, enode(va, LEAF), 31);
	expect_maple(enode(va, LEAF), ITER_TORN, 3);
}

Test(maple, what_lies_behind_the_last_pivot_is_stale)
{
	uint64_t va = leaf(0, 4, UINT64_MAX);

	slot(va, LEAF, 4, ENTRY(9), 7);
	slot(va, LEAF, 5, 0x4141414141414141, 3);
	expect_maple(enode(va, LEAF), ITER_END, 4);
}

Test(maple, a_pivot_of_zero_ends_a_node)
{
	uint64_t va = leaf(0, 4, 0); // [48, max]

	expect_maple(enode(va, LEAF), ITER_END, 4);
	expect_entry(3, 48, UINT64_MAX, ENTRY(3));
}

Test(maple, pivots_that_go_backwards_end_a_node_but_not_the_walk)
{
	uint64_t top = guest_alloc(g, 256), torn = leaf(0, 4, 63);

	slot(torn, LEAF, 2, ENTRY(2), 3);
	slot(top, RANGE, 0, enode(torn, LEAF), 63);
	slot(top, RANGE, 1, enode(leaf(64, 4, UINT64_MAX), LEAF), UINT64_MAX);
	expect_maple(enode(top, RANGE), ITER_TORN, 6);
}

Test(maple, a_pivot_beyond_the_parents_ends_a_node)
{
	uint64_t top = guest_alloc(g, 256);

	slot(top, RANGE, 0, enode(leaf(0, 4, 64), LEAF), 63);
	slot(top, RANGE, 1, enode(leaf(64, 4, UINT64_MAX), LEAF), UINT64_MAX);
	expect_maple(enode(top, RANGE), ITER_TORN, 7);
}

Test(maple, a_child_that_is_absent_loses_only_its_own)
{
	uint64_t top = guest_alloc(g, 256), gone = guest_va(g, guest_page(g));

	slot(top, RANGE, 0, enode(gone, LEAF), 63);
	slot(top, RANGE, 1, enode(leaf(64, 4, UINT64_MAX), LEAF), UINT64_MAX);
	guest_drop(g, guest_pa(g, gone));
	expect_maple(enode(top, RANGE), ITER_FAULT, 4);
}

Test(maple, kinds_of_nodes_that_do_not_exist_are_faults)
{
	for (unsigned type = 0; type < 16; type++)
		if (type < LEAF || type > ARANGE)
			expect_maple(enode(leaf(0, 4, UINT64_MAX), type), ITER_FAULT, 0);
}

Test(maple, a_node_that_leads_back_to_its_parent_ends)
{
	uint64_t top = guest_alloc(g, 256), below = guest_alloc(g, 256);

	slot(below, RANGE, 0, enode(top, RANGE), 63);
	slot(top, RANGE, 0, enode(below, RANGE), 63);
	slot(top, RANGE, 1, enode(leaf(64, 4, UINT64_MAX), LEAF), UINT64_MAX);
	cr_expect_neq(scan(enode(top, RANGE), MAX), ITER_END);
	cr_expect_eq(entries.n, 4, "what lies beside is there");
}

Test(maple, a_node_that_leads_to_itself_ends)
{
	uint64_t top = guest_alloc(g, 256);

	for (size_t i = 0; i < 16; i++)
		slot(top, RANGE, i, enode(top, RANGE), UINT64_MAX);
	expect_maple(enode(top, RANGE), ITER_CYCLE, 0);
	for (size_t i = 0; i < 16; i++)
		slot(top, RANGE, i, enode(top, RANGE), i * 100 + 100);
	cr_expect_neq(scan(enode(top, RANGE), MAX), ITER_END);
}

// Each node has both slots lead to the next one, 31 levels deep: 2^31 ways if pivots are ignored.
Test(maple, a_bomb_of_shared_nodes_does_not_go_off)
{
	uint64_t below = enode(leaf(0, 4, UINT64_MAX), LEAF);

	for (int depth = 0; depth < 31; depth++) {
		uint64_t va = guest_alloc(g, 256);
		for (size_t i = 0; i < 15; i++)
			slot(va, RANGE, i, below, i * 4);
		slot(va, RANGE, 15, below, 0);
		below = enode(va, RANGE);
	}
	cr_expect_neq(scan(below, MAX), ITER_END);
	cr_expect_lt(entries.n, 1000);
}

Test(maple, no_more_comes_than_was_asked_for)
{
	cr_expect_eq(scan(enode(leaf(0, 16, UINT64_MAX), LEAF), 10), ITER_LIMIT);
	cr_expect_lt(entries.n, 11);
}

Test(maple, the_visitor_can_end_it)
{
	stop_after = 3;
	cr_expect_eq(scan(enode(leaf(0, 16, UINT64_MAX), LEAF), MAX), ITER_END);
	cr_expect_eq(entries.n, 3);
	stop_after = 0;
}

Test(maple, a_root_that_is_nowhere_is_a_fault)
{
	expect_maple(enode(NOWHERE, LEAF), ITER_FAULT, 0);
	cr_expect_eq(maple_scan(&g->k, NOWHERE, MAX, keep, NULL), ITER_FAULT);
	guest_unplace(g, F(maple_range_64, pivot));
	expect_maple(enode(leaf(0, 4, UINT64_MAX), LEAF), ITER_FAULT, 0);
}

// --- hash tables ---

static void see(void *arg, uint64_t head)
{
	(void)arg;
	vec_push(&seen, head);
}

// A table of buckets, all empty.
static uint64_t buckets(uint64_t n)
{
	uint64_t tbl = guest_alloc(g, g->k.field[F(bucket_table, buckets)].off + n * 8);

	guest_set(g, tbl, F(bucket_table, size), n);
	return tbl;
}

static uint64_t bucket(uint64_t tbl, uint64_t i)
{
	return guest_field(g, tbl, F(bucket_table, buckets)) + i * 8;
}

// Puts an object in front of a bucket's chain.
static uint64_t add(uint64_t tbl, uint64_t i, uint64_t before)
{
	uint64_t head = guest_alloc(g, 64);

	put_u64(g, head, before ? before : bucket(tbl, i) | 1);
	put_u64(g, bucket(tbl, i), head);
	return head;
}

static void expect_rhash(uint64_t tbl, uint64_t max, enum iter_end want, size_t n)
{
	uint64_t table = guest_alloc(g, 64);

	seen.n = 0;
	guest_set(g, table, F(rhashtable, tbl), tbl);
	enum iter_end end = rhash_scan(&g->k, table, max, see, NULL);
	cr_expect_eq(end, want, "%s", iter_end_text(end));
	cr_expect_eq(seen.n, n, "%zu objects", seen.n);
}

Test(rhash, all_chains_of_all_buckets_are_walked)
{
	uint64_t tbl = buckets(1024);

	for (uint64_t i = 0; i < 1024; i += 3)
		(void)add(tbl, i, add(tbl, i, 0));
	expect_rhash(tbl, MAX, ITER_END, 2 * 342);
	expect_rhash(buckets(64), MAX, ITER_END, 0);
}

Test(rhash, locked_and_marked_buckets_are_understood)
{
	uint64_t tbl = buckets(8), head = add(tbl, 0, 0);

	put_u64(g, bucket(tbl, 0), head | 1);		   // locked
	put_u64(g, bucket(tbl, 1), bucket(tbl, 1) | 1);	   // empty, with a marker
	put_u64(g, bucket(tbl, 2), 1);			   // locked and empty
	put_u64(g, bucket(tbl, 3), (uint64_t)17 << 1 | 1); // a marker of 4.19
	expect_rhash(tbl, MAX, ITER_END, 1);
}

Test(rhash, a_table_that_grows_has_two)
{
	uint64_t old = buckets(4), new = buckets(8);

	(void)add(old, 1, 0);
	(void)add(new, 5, 0);
	guest_set(g, old, F(bucket_table, future_tbl), new);
	expect_rhash(old, MAX, ITER_END, 2);
}

Test(rhash, tables_in_a_circle_are_walked_once)
{
	uint64_t old = buckets(4), new = buckets(8);

	(void)add(old, 1, 0);
	guest_set(g, old, F(bucket_table, future_tbl), new);
	guest_set(g, new, F(bucket_table, future_tbl), old);
	expect_rhash(old, MAX, ITER_CYCLE, 1);
}

Test(rhash, a_chain_in_a_circle_loses_no_other_bucket)
{
	uint64_t tbl = buckets(4), head = add(tbl, 1, 0);

	put_u64(g, head, head);
	(void)add(tbl, 3, 0);
	expect_rhash(tbl, MAX, ITER_CYCLE, 2);
}

Test(rhash, the_bound_holds_for_all_chains_together)
{
	uint64_t tbl = buckets(256), shared = add(tbl, 0, add(tbl, 0, add(tbl, 0, 0)));

	for (uint64_t i = 0; i < 256; i++)
		put_u64(g, bucket(tbl, i), shared);
	expect_rhash(tbl, 10, ITER_LIMIT, 10);
	expect_rhash(tbl, 9, ITER_LIMIT, 9);
}

Test(rhash, a_size_that_can_not_be_is_refused)
{
	uint64_t tbl = buckets(4);

	guest_set(g, tbl, F(bucket_table, size), 1ULL << 60);
	expect_rhash(tbl, MAX, ITER_FAULT, 0);
}

Test(rhash, buckets_in_absent_pages_are_faults)
{
	uint64_t tbl = buckets(4096);

	(void)add(tbl, 0, 0);
	(void)add(tbl, 4000, 0);
	guest_drop(g, guest_pa(g, bucket(tbl, 1500)));
	expect_rhash(tbl, MAX, ITER_FAULT, 2);
}

Test(rhash, no_table_is_a_fault)
{
	expect_rhash(0, MAX, ITER_FAULT, 0);
	expect_rhash(NOWHERE, MAX, ITER_FAULT, 0);
}
