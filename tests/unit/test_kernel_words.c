// SPDX-License-Identifier: LGPL-2.1-or-later
// Kernels of 32 bits: pointers, lists, tables and per-CPU areas in words of four bytes.
#include "tests/unit/kernel_builder.h"

#include "src/base/mem.h"
#include "src/kernel/iter.h"

#include <criterion/criterion.h>

#define LOWMEM 0xc0000000ULL // where the direct map begins

static struct guest *g;
static struct kernel *k;

static void make(void)
{
	g = guest_new(4);
	k = &g->k;
}

static void unmake(void)
{
	guest_free(g);
}

TestSuite(words, .init = make, .fini = unmake);

static void put_words(uint64_t pa, uint32_t low, uint32_t high)
{
	put_entry(g, pa, low | (uint64_t)high << 32);
}

// From now on all of memory is mapped from LOWMEM on, by PAE's tables; nothing more may be written.
static void become_32_bits(void)
{
	uint64_t root = guest_page(g), table = guest_page(g);

	put_entry(g, root + 3 * 8, table | GUEST_PRESENT);
	for (uint64_t i = 0; i < (uint64_t)GUEST_PAGES * PAGE_SIZE >> 21; i++)
		put_entry(g, table + i * 8, i << 21 | GUEST_RW | GUEST_LARGE);
	kernel_set_arch(k, ARCH_X86);
	k->page_offset = k->image_offset = LOWMEM;
	aspace_init(&k->as, k->mem, root, paging_x86_pae());
}

Test(words, pointers_longs_and_bits)
{
	uint64_t pa = guest_page(g), p;
	int64_t n;
	bool set;

	put_words(pa, 0xc1234567, 0xffffffff);
	become_32_bits();
	cr_assert(k_ptr(k, LOWMEM + pa, &p));
	cr_expect_eq(p, 0xc1234567);
	cr_assert(k_long(k, LOWMEM + pa + 4, &n));
	cr_expect_eq(n, -1);
	cr_assert(k_bit(k, LOWMEM + pa, 30, &set));
	cr_expect(set, "bit 30 of 0xc1234567");
	cr_assert(k_bit(k, LOWMEM + pa, 29, &set));
	cr_expect_not(set);
	cr_expect_not(k_ptr(k, 0xffffffff, &p), "nothing is mapped there, nor behind it");
	cr_expect_not(k_ptr(k, LOWMEM + (1ULL << 32), &p), "no address of 32 bits");
}

Test(words, plausible_pointers)
{
	become_32_bits();
	cr_expect(k_plausible(k, 0xc0001000));
	cr_expect(k_plausible(k, 0x80001000), "VMSPLIT_2G");
	cr_expect_not(k_plausible(k, 0x08048000));
	cr_expect_not(k_plausible(k, 0xfffffff4), "an error code");
	cr_expect_not(k_plausible(k, 0xffff888000000000));
	cr_expect_eq(k_user_end(k), LOWMEM);
}

Test(words, links_of_a_list_have_four_bytes)
{
	uint64_t a = guest_page(g), b = a + 0x100, c = a + 0x208, node;
	struct list_iter it;

	put_words(a, (uint32_t)(LOWMEM + b), (uint32_t)(LOWMEM + c));
	put_words(b, (uint32_t)(LOWMEM + c), (uint32_t)(LOWMEM + a));
	put_words(c, (uint32_t)(LOWMEM + a), (uint32_t)(LOWMEM + b));
	become_32_bits();
	list_begin(&it, k, LOWMEM + a, 10);
	cr_assert(list_next(&it, &node));
	cr_expect_eq(node, LOWMEM + b);
	cr_assert(list_next(&it, &node));
	cr_expect_eq(node, LOWMEM + c);
	cr_expect_not(list_next(&it, &node));
	cr_expect(it.end == ITER_END && it.bad_back == 0);
}

Test(words, chains_end_in_nulls_markers)
{
	uint64_t a = guest_page(g), b = a + 0x10, node;
	struct chain_iter it;

	put_words(a, (uint32_t)(LOWMEM + b), 0);
	put_words(b, 0x123 << 1 | 1, 0);
	become_32_bits();
	chain_begin(&it, k, LOWMEM + a, 0, 10);
	cr_assert(chain_next(&it, &node));
	cr_assert(chain_next(&it, &node));
	cr_expect_eq(node, LOWMEM + b);
	cr_expect_not(chain_next(&it, &node));
	cr_expect_eq(it.end, ITER_END);
}

Test(words, per_cpu_addresses_wrap_around)
{
	uint64_t pa = guest_page(g);
	int64_t sum;

	put_words(pa + 8, 5, (uint32_t)-2);
	become_32_bits();
	k->n_cpus = 2;
	k->percpu_offset = mem_zalloc(2, sizeof(*k->percpu_offset));
	// areas below and above the variable's address in the image
	k->percpu_offset[0] = (uint32_t)(LOWMEM + pa - 0xc2000000);
	k->percpu_offset[1] = (uint32_t)(LOWMEM + pa + 4 - 0xc2000000);
	cr_expect_eq(k_percpu(k, 0xc2000000, 0), LOWMEM + pa);
	cr_assert(k_percpu_sum(k, 0xc2000000, 8, 4, &sum));
	cr_expect_eq(sum, 3);
	mem_free(k->percpu_offset);
}

static bool take(void *arg, uint64_t first, uint64_t last, uint64_t value)
{
	uint64_t *seen = arg;

	(void)first;
	seen[0]++;
	seen[1] = last;
	seen[2] = value;
	return true;
}

// The last index of a tree is ULONG_MAX.
Test(words, maple_nodes_have_pivots_of_four_bytes)
{
	uint64_t node = (guest_page(g) + 0xff) & ~0xffULL, tree = guest_page(g), seen[3] = {0};

	guest_place(g, F(maple_tree, ma_root), 0, 4);
	guest_place_array(g, F(maple_range_64, pivot), 4, 4, 3);
	guest_place_array(g, F(maple_range_64, slot), 16, 4, 4);
	put_words(tree, (uint32_t)(LOWMEM + node) | 1 << 3 | 2, 0); // a leaf
	put_words(node, 0, 0xfff);
	put_words(node + 8, 0x1fff, 0);
	put_words(node + 16, 0, (uint32_t)(LOWMEM + 0x5000));
	put_words(node + 24, (uint32_t)(LOWMEM + 0x6000), 0);
	become_32_bits();
	cr_expect_eq(maple_scan(k, LOWMEM + tree, 10, take, seen), ITER_END);
	cr_expect_eq(seen[0], 2);
	cr_expect_eq(seen[1], UINT32_MAX);
	cr_expect_eq(seen[2], LOWMEM + 0x6000);
}
