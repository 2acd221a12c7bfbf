// SPDX-License-Identifier: LGPL-2.1-or-later
// Rings and chains: each kind of lie ends the walk, with its name, and no node comes twice.
#include "tests/unit/kernel_builder.h"

#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "src/kernel/iter.h"

#include <criterion/criterion.h>

enum { MAX = 1000000 };
#define NOWHERE 0xffffc90000000000ULL

typedef VEC(uint64_t) nodes_vec;

static struct guest *g;
static nodes_vec seen;

static void make(void)
{
	g = guest_new(4);
}

static void unmake(void)
{
	vec_fini(&seen);
	guest_free(g);
}

TestSuite(list, .init = make, .fini = unmake);
TestSuite(chain, .init = make, .fini = unmake);

// n nodes in a ring; the first is the head.
static uint64_t *ring(size_t n)
{
	static uint64_t nodes[100];

	for (size_t i = 0; i < n; i++)
		nodes[i] = guest_alloc(g, 16);
	put_ring(g, nodes, n);
	return nodes;
}

static void expect_distinct(void)
{
	struct u64map once = {0};
	uint64_t *p;

	vec_foreach (p, &seen)
		cr_expect(u64map_add(&once, *p, 0), "a node came twice");
	u64map_fini(&once);
}

static enum iter_end walk(struct list_iter *it, uint64_t head, uint64_t max)
{
	uint64_t node;

	list_begin(it, &g->k, head, max);
	while (list_next(it, &node))
		vec_push(&seen, node);
	cr_expect_not(list_next(it, &node), "the end is the end");
	return it->end;
}

static void expect_list(uint64_t head, enum iter_end want, size_t n)
{
	struct list_iter it;
	enum iter_end end = walk(&it, head, MAX);

	cr_expect_eq(end, want, "%s", iter_end_text(end));
	cr_expect_eq(seen.n, n, "%zu nodes", seen.n);
	expect_distinct();
}

Test(list, all_nodes_come_in_order)
{
	uint64_t *nodes = ring(5);
	struct list_iter it;

	cr_expect_eq(walk(&it, nodes[0], MAX), ITER_END);
	cr_assert_eq(seen.n, 4);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(seen.at[i], nodes[i + 1]);
	cr_expect_eq(it.bad_back, 0);
}

Test(list, an_empty_ring_has_no_nodes)
{
	expect_list(ring(1)[0], ITER_END, 0);
}

Test(list, a_head_of_zeros_is_a_fault)
{
	expect_list(guest_alloc(g, 16), ITER_FAULT, 0);
	expect_list(0, ITER_FAULT, 0);
}

Test(list, a_node_that_follows_itself_is_a_circle)
{
	uint64_t *nodes = ring(4);

	put_u64(g, nodes[2], nodes[2]);
	expect_list(nodes[0], ITER_CYCLE, 2);
}

Test(list, a_node_that_follows_itself_both_ways_is_a_circle)
{
	uint64_t *nodes = ring(4);

	put_links(g, nodes[2], nodes[2], nodes[2]);
	expect_list(nodes[0], ITER_CYCLE, 2);
}

Test(list, two_nodes_that_follow_each_other_are_a_circle)
{
	uint64_t *nodes = ring(5);

	put_u64(g, nodes[3], nodes[2]);
	expect_list(nodes[0], ITER_CYCLE, 3);
}

// In the shape of the letter rho: back links right all around the circle, so that only the first
// way into it contradicts.
Test(list, a_circle_behind_a_tail_gives_each_node_once)
{
	for (size_t entry = 1; entry < 60; entry += 7) {
		uint64_t *nodes = ring(60);
		put_u64(g, nodes[59], nodes[entry]);
		put_u64(g, nodes[entry] + 8, nodes[59]);
		seen.n = 0;
		expect_list(nodes[0], ITER_CYCLE, 59);
	}
}

Test(list, a_circle_of_which_no_back_link_is_right_ends)
{
	uint64_t *nodes = ring(100);
	struct list_iter it;

	for (size_t i = 0; i < 100; i++)
		put_u64(g, nodes[i] + 8, nodes[50]);
	put_u64(g, nodes[99], nodes[40]);
	cr_expect_eq(walk(&it, nodes[0], MAX), ITER_CYCLE);
	cr_expect_neq(it.bad_back, 0);
	cr_expect_leq(seen.n, 300);
}

Test(list, a_wrong_back_link_alone_is_told_and_loses_nothing)
{
	uint64_t *nodes = ring(10);
	struct list_iter it;

	put_u64(g, nodes[4] + 8, nodes[7]);
	put_u64(g, nodes[6] + 8, 0);
	cr_expect_eq(walk(&it, nodes[0], MAX), ITER_END);
	cr_expect_eq(seen.n, 9);
	cr_expect_eq(it.bad_back, nodes[4]);
}

Test(list, a_wrong_back_link_of_the_head_is_told)
{
	uint64_t *nodes = ring(4);
	struct list_iter it;

	put_u64(g, nodes[0] + 8, nodes[1]);
	cr_expect_eq(walk(&it, nodes[0], MAX), ITER_END);
	cr_expect_eq(it.bad_back, nodes[0]);
}

Test(list, a_link_to_nothing_is_a_fault)
{
	uint64_t *nodes = ring(5);

	put_u64(g, nodes[3], NOWHERE);
	expect_list(nodes[0], ITER_FAULT, 3);
	cr_expect_eq(g->k.faults.count, 1);
}

Test(list, a_link_to_user_space_is_a_fault)
{
	static const uint64_t bad[] = {0, 1, 0x00007f0000000000, 0x8000000000000, (uint64_t)-2};

	for (size_t i = 0; i < 5; i++) {
		uint64_t *nodes = ring(5);
		put_u64(g, nodes[3], bad[i]);
		seen.n = 0;
		expect_list(nodes[0], ITER_FAULT, 3);
	}
}

Test(list, a_node_in_an_absent_page_is_a_fault)
{
	uint64_t *nodes = ring(5), far = guest_va(g, guest_page(g));

	put_u64(g, nodes[3], far);
	guest_drop(g, guest_pa(g, far));
	expect_list(nodes[0], ITER_FAULT, 3);
}

Test(list, no_more_nodes_come_than_were_asked_for)
{
	struct list_iter it;

	cr_expect_eq(walk(&it, ring(20)[0], 10), ITER_LIMIT);
	cr_expect_eq(seen.n, 10);
	seen.n = 0;
	cr_expect_eq(walk(&it, ring(11)[0], 10), ITER_END, "as many as the bound are fine");
	cr_expect_eq(seen.n, 10);
}

Test(list, a_long_list_is_walked_to_its_end)
{
	enum { N = 200000 };
	uint64_t first = guest_alloc(g, N * 16);

	for (uint64_t i = 0; i < N; i++)
		put_links(g, first + i * 16, first + (i + 1) % N * 16,
			  first + (i + N - 1) % N * 16);
	struct list_iter it;
	cr_expect_eq(walk(&it, first, MAX), ITER_END);
	cr_expect_eq(seen.n, N - 1);
}

// Each node contradicts, and a look back from each would take years.
Test(list, a_long_list_of_lies_takes_no_longer)
{
	enum { N = 200000 };
	uint64_t first = guest_alloc(g, N * 16);
	struct list_iter it;

	for (uint64_t i = 0; i < N; i++)
		put_links(g, first + i * 16, first + (i + 1) % N * 16, 0);
	cr_expect_eq(walk(&it, first, MAX), ITER_END);
	cr_expect_lt(it.rechecked, 10 * N);
}

// --- chains ---

enum { NEXT = 8 }; // where in a node the next one's address is

static uint64_t *chain(size_t n, uint64_t end)
{
	static uint64_t nodes[100];

	for (size_t i = 0; i < n; i++)
		nodes[i] = guest_alloc(g, 16);
	for (size_t i = 0; i < n; i++)
		put_u64(g, nodes[i] + NEXT, i + 1 < n ? nodes[i + 1] : end);
	return nodes;
}

static enum iter_end follow(uint64_t first, uint64_t max, bool odd_ends)
{
	struct chain_iter it;
	uint64_t node;

	seen.n = 0;
	chain_begin(&it, &g->k, first, NEXT, max);
	it.odd_ends = odd_ends;
	while (chain_next(&it, &node))
		vec_push(&seen, node);
	cr_expect_not(chain_next(&it, &node), "the end is the end");
	return it.end;
}

static void expect_chain(uint64_t first, enum iter_end want, size_t n)
{
	enum iter_end end = follow(first, MAX, false);

	cr_expect_eq(end, want, "%s", iter_end_text(end));
	cr_expect_eq(seen.n, n, "%zu nodes", seen.n);
}

Test(chain, ends_at_null)
{
	expect_chain(chain(5, 0)[0], ITER_END, 5);
	expect_chain(0, ITER_END, 0);
}

Test(chain, ends_at_a_nulls_marker)
{
	expect_chain(chain(5, 17 << 1 | 1)[0], ITER_END, 5);
	expect_chain(1, ITER_END, 0);
}

Test(chain, an_odd_pointer_is_an_end_only_where_markers_look_like_that)
{
	uint64_t first = chain(5, guest_va(g, 0x1000) | 1)[0];

	cr_expect_eq(follow(first, MAX, true), ITER_END);
	cr_expect_eq(follow(first, MAX, false), ITER_FAULT);
	cr_expect_eq(seen.n, 5);
}

Test(chain, circles_of_every_size_end)
{
	for (size_t from = 0; from < 100; from++) {
		uint64_t *nodes = chain(100, 0);
		put_u64(g, nodes[99] + NEXT, nodes[from]);
		cr_assert_eq(follow(nodes[0], MAX, false), ITER_CYCLE, "into node %zu", from);
		cr_assert_leq(seen.n, 300);
	}
}

Test(chain, a_link_to_nothing_is_a_fault)
{
	expect_chain(chain(5, NOWHERE)[0], ITER_FAULT, 6); // the sixth is there but for its memory
	expect_chain(chain(5, 0x1234000)[0], ITER_FAULT, 5);
	expect_chain(0x1234000, ITER_FAULT, 0);
}

Test(chain, no_more_nodes_come_than_were_asked_for)
{
	cr_expect_eq(follow(chain(20, 0)[0], 10, false), ITER_LIMIT);
	cr_expect_eq(seen.n, 10);
	cr_expect_eq(follow(chain(10, 0)[0], 10, false), ITER_END);
	cr_expect_eq(follow(chain(10, 0)[0], 0, false), ITER_LIMIT);
	cr_expect_eq(seen.n, 0);
}

Test(iter, every_end_has_words)
{
	for (int e = ITER_MORE; e <= ITER_TORN; e++)
		cr_expect_str_neq(iter_end_text((enum iter_end)e), "?");
}
