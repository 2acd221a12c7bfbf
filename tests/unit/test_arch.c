// SPDX-License-Identifier: LGPL-2.1-or-later
// Page tables, from the plain to the malicious.
#include "tests/unit/kernel_builder.h"

#include "src/base/vec.h"

#include <criterion/criterion.h>

#include <string.h>

#define USER 0x00007f1234567000ULL
#define KIB4 (4ULL << 10)
#define MIB2 (2ULL << 20)
#define GIB1 (1ULL << 30)

static struct guest *g;

static void make4(void)
{
	g = guest_new(4);
}

static void unmake(void)
{
	guest_free(g);
}

static enum as_fault translate(uint64_t va, uint64_t *pa)
{
	return aspace_translate(&g->k.as, va, pa);
}

static void expect_pa(uint64_t va, uint64_t want)
{
	uint64_t pa = 1;
	enum as_fault f = translate(va, &pa);

	cr_expect_eq(f, AS_OK, "%llx: %s", (unsigned long long)va, as_fault_text(f));
	cr_expect_eq(pa, want, "%llx -> %llx", (unsigned long long)va, (unsigned long long)pa);
}

static void expect_fault(uint64_t va, enum as_fault want)
{
	uint64_t pa;
	enum as_fault f = translate(va, &pa);

	cr_expect_eq(f, want, "%llx: %s", (unsigned long long)va, as_fault_text(f));
}

TestSuite(aspace, .init = make4, .fini = unmake);

Test(aspace, a_page_of_any_size_is_translated)
{
	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW);
	guest_map(g, 0x600000000000, 0x40000000 + MIB2, MIB2, MIB2, GUEST_RW);
	guest_map(g, 0x500000000000, 5 * GIB1, GIB1, GIB1, GUEST_RW);
	expect_pa(USER, 0x5000);
	expect_pa(USER + 0xfff, 0x5fff);
	expect_pa(0x600000000000 + 0x12345, 0x40000000 + MIB2 + 0x12345);
	expect_pa(0x500000000000 + GIB1 - 1, 6 * GIB1 - 1);
}

Test(aspace, flags_and_reserved_bits_are_no_part_of_an_address)
{
	uint64_t avl = 7ULL << 52 | 0xfULL << 59, nx = GUEST_NX; // bits above the address

	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW | GUEST_DIRTY | 0x100 | avl | nx);
	guest_map(g, 0x600000000000, MIB2, MIB2, MIB2, GUEST_RW | 0x1000 | nx); // bit 12: PAT
	expect_pa(USER + 0x10, 0x5010);
	expect_pa(0x600000000000, MIB2);
}

Test(aspace, five_levels_reach_further)
{
	guest_free(g);
	g = guest_new(5);
	guest_map(g, 0x00ff123456789000, 0x7000, KIB4, KIB4, GUEST_RW);
	guest_map(g, 0xffd4000000000000, 0x200000, MIB2, MIB2, GUEST_RW);
	expect_pa(0x00ff123456789abc, 0x7abc);
	expect_pa(0xffd4000000000001, 0x200001);
	expect_pa(guest_va(g, 0x3000), 0x3000);
	expect_fault(0x0100000000000000, AS_NOT_CANONICAL);
	expect_fault(0xfeffffffffffffff, AS_NOT_CANONICAL);
}

Test(aspace, what_is_not_canonical_is_said_to_be_so)
{
	expect_fault(0x0000800000000000, AS_NOT_CANONICAL);
	expect_fault(0x8000000000000000, AS_NOT_CANONICAL);
	expect_fault(0xffff7fffffffffff, AS_NOT_CANONICAL);
	expect_fault(0x00007fffffffffff, AS_NOT_MAPPED);
	expect_fault(0xffffffffffffffff, AS_NOT_MAPPED);
}

Test(aspace, an_entry_that_is_not_present_ends_the_walk_at_any_level)
{
	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW);
	for (unsigned level = 1; level <= 4; level++) {
		uint64_t slot = guest_entry(g, g->root, USER, level);
		uint64_t entry;
		memcpy(&entry, g->bytes + slot, 8);
		put_entry(g, slot, entry & ~1ULL);
		expect_fault(USER, AS_NOT_MAPPED);
		put_entry(g, slot, entry);
		expect_pa(USER, 0x5000);
	}
}

Test(aspace, large_bits_above_the_gigabyte_level_mean_nothing)
{
	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW);
	uint64_t slot = guest_entry(g, g->root, USER, 4), entry;
	memcpy(&entry, g->bytes + slot, 8);
	put_entry(g, slot, entry | GUEST_LARGE);
	expect_pa(USER, 0x5000);
}

Test(aspace, a_table_that_is_not_in_the_image_is_told_from_a_page)
{
	uint64_t page = guest_page(g), other = USER + MIB2;

	guest_map(g, USER, page, KIB4, KIB4, GUEST_RW);
	guest_map(g, other, page, KIB4, KIB4, GUEST_RW);
	guest_drop(g, guest_entry(g, g->root, other, 1));
	guest_drop(g, page);
	expect_fault(other, AS_TABLE_ABSENT);
	expect_pa(USER, page);
	char c;
	cr_expect_eq(aspace_read(&g->k.as, USER, &c, 1), AS_PAGE_ABSENT);
}

Test(aspace, a_table_beyond_all_memory_is_absent)
{
	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW);
	put_entry(g, guest_entry(g, g->root, USER, 3), 0x000ffffffffff000 | GUEST_RW);
	expect_fault(USER, AS_TABLE_ABSENT);
}

Test(aspace, a_read_may_cross_pages_that_lie_apart)
{
	uint64_t a = guest_page(g), b = guest_page(g);
	char got[8];

	guest_map(g, USER, b, KIB4, KIB4, GUEST_RW);
	guest_map(g, USER + KIB4, a, KIB4, KIB4, GUEST_RW);
	guest_put(g, guest_va(g, b) + 4092, "abcd", 4);
	guest_put(g, guest_va(g, a), "efgh", 4);
	cr_expect_eq(aspace_read(&g->k.as, USER + 4092, got, 8), AS_OK);
	cr_expect_eq(memcmp(got, "abcdefgh", 8), 0);
}

Test(aspace, a_read_gives_what_comes_before_the_first_missing_byte)
{
	enum as_fault why;
	char got[8192];

	guest_map(g, USER, guest_page(g), KIB4, KIB4, GUEST_RW);
	cr_expect_eq(aspace_read_some(&g->k.as, USER + 4000, got, sizeof(got), &why), 96);
	cr_expect_eq(why, AS_NOT_MAPPED);
	cr_expect_eq(aspace_read_some(&g->k.as, USER + KIB4, got, 1, &why), 0);
	cr_expect_eq(aspace_read_some(&g->k.as, USER, got, 0, &why), 0);
	cr_expect_eq(why, AS_OK);
}

Test(aspace, a_read_stops_where_addresses_end)
{
	enum as_fault why;
	char got[64];

	guest_map(g, 0xfffffffffffff000, guest_page(g), KIB4, KIB4, GUEST_RW);
	cr_expect_eq(aspace_read_some(&g->k.as, 0xfffffffffffffff0, got, 64, &why), 16);
	cr_expect_neq(why, AS_OK);
}

Test(aspace, nothing_is_remembered_of_another_root)
{
	uint64_t other = guest_page(g), want;
	struct aspace as;

	guest_map(g, USER, 0x5000, KIB4, KIB4, GUEST_RW);
	guest_map_in(g, other, USER, 0x6000, KIB4, KIB4, GUEST_RW);
	aspace_init(&as, g->k.mem, g->root, paging_x86_64(4));
	cr_expect_eq(aspace_translate(&as, USER, &want), AS_OK);
	cr_expect_eq(want, 0x5000);
	aspace_init(&as, g->k.mem, other, paging_x86_64(4));
	cr_expect_eq(aspace_translate(&as, USER, &want), AS_OK);
	cr_expect_eq(want, 0x6000);
}

Test(aspace, addresses_that_share_a_slot_of_the_cache_stay_apart)
{
	for (uint64_t i = 0; i < 64; i++)
		guest_map(g, USER + (i << 22), 0x5000 + (i << 12), KIB4, KIB4, GUEST_RW);
	for (int round = 0; round < 3; round++)
		for (uint64_t i = 0; i < 64; i++)
			expect_pa(USER + (i << 22) + i, 0x5000 + (i << 12) + i);
}

Test(aspace, a_root_that_maps_itself_ends)
{
	uint64_t root = guest_page(g), pa;
	struct aspace as;

	for (uint64_t i = 0; i < 512; i++)
		put_entry(g, root + i * 8, root | GUEST_RW);
	aspace_init(&as, g->k.mem, root, paging_x86_64(4));
	cr_expect_eq(aspace_translate(&as, USER, &pa), AS_OK, "it is a page table at each level");
	cr_expect_eq(pa & ~0xfffULL, root);
}

// --- scanning ---

struct seen {
	VEC(struct as_page) pages;
	size_t stop_after;
};

static bool see(void *arg, const struct as_page *page)
{
	struct seen *s = arg;

	vec_push(&s->pages, *page);
	return !s->stop_after || s->pages.n < s->stop_after;
}

static enum scan_end scan(uint64_t root, uint64_t start, uint64_t end, uint64_t *budget,
			  struct seen *s)
{
	struct aspace as;

	aspace_init(&as, g->k.mem, root, paging_x86_64(g->levels));
	return aspace_scan(&as, start, end, budget, see, s);
}

Test(aspace, a_scan_visits_pages_by_address_with_their_rights)
{
	uint64_t root = guest_page(g), budget = 100;
	struct seen s = {0};

	guest_map_in(g, root, USER, 0x9000, KIB4, KIB4,
		     GUEST_RW | GUEST_USER | GUEST_DIRTY | GUEST_ACCESSED | GUEST_NX);
	guest_map_in(g, root, 0x10000, 0x3000, KIB4, KIB4, GUEST_PRESENT | GUEST_USER);
	guest_map_in(g, root, 0x600000000000, MIB2, MIB2, MIB2, GUEST_RW);
	guest_map_in(g, root, 0x500000000000, GIB1, GIB1, GIB1, GUEST_PRESENT | GUEST_NX);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_WHOLE);
	cr_assert_eq(s.pages.n, 4);
	const struct as_page *p = s.pages.at;
	cr_expect(p[0].va == 0x10000 && p[0].pa == 0x3000 && p[0].size == KIB4);
	cr_expect(!p[0].writable && p[0].executable && p[0].user && !p[0].dirty && !p[0].accessed);
	cr_expect(p[1].va == 0x500000000000 && p[1].pa == GIB1 && p[1].size == GIB1);
	cr_expect(!p[1].writable && !p[1].executable && !p[1].user);
	cr_expect(p[2].va == 0x600000000000 && p[2].pa == MIB2 && p[2].size == MIB2);
	cr_expect(p[3].va == USER && p[3].pa == 0x9000 && p[3].size == KIB4);
	cr_expect(p[3].writable && !p[3].executable && p[3].user && p[3].dirty && p[3].accessed);
	vec_fini(&s.pages);
}

Test(aspace, a_right_holds_only_if_every_level_grants_it)
{
	uint64_t root = guest_page(g), budget = 100, entry;
	struct seen s = {0};

	guest_map_in(g, root, USER, 0x9000, KIB4, KIB4, GUEST_RW | GUEST_USER);
	uint64_t slot = guest_entry(g, root, USER, 3);
	memcpy(&entry, g->bytes + slot, 8);
	put_entry(g, slot, (entry & ~(uint64_t)(GUEST_WRITE | GUEST_USER)) | GUEST_NX);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_WHOLE);
	cr_assert_eq(s.pages.n, 1);
	cr_expect(!s.pages.at[0].writable && !s.pages.at[0].user && !s.pages.at[0].executable);
	vec_fini(&s.pages);
}

Test(aspace, a_page_without_rights_is_there_with_its_frame_inverted_back)
{
	uint64_t root = guest_page(g), budget = 100;
	struct seen s = {0};

	guest_map_in(g, root, USER, 0x9000, KIB4, KIB4, GUEST_PROT_NONE | GUEST_WRITE);
	guest_map_in(g, root, USER + MIB2 - USER % MIB2, MIB2, MIB2, MIB2, GUEST_PROT_NONE);
	guest_map_in(g, root, 0x500000000000, 3 * GIB1, GIB1, GIB1, GUEST_PROT_NONE);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_WHOLE);
	cr_assert_eq(s.pages.n, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect(s.pages.at[i].prot_none && !s.pages.at[i].writable &&
			  !s.pages.at[i].executable);
	cr_expect_eq(s.pages.at[0].pa, 3 * GIB1);
	cr_expect_eq(s.pages.at[1].pa, 0x9000);
	cr_expect_eq(s.pages.at[2].pa, MIB2);
	uint64_t pa;
	cr_expect_neq(aspace_translate(&g->k.as, USER, &pa), AS_OK, "the CPU can't read it");
	vec_fini(&s.pages);
}

Test(aspace, a_swapped_page_is_not_there)
{
	uint64_t root = guest_page(g), budget = 100;
	struct seen s = {0};

	guest_map_in(g, root, USER, 0, KIB4, KIB4, 0);
	put_entry(g, guest_entry(g, root, USER, 1),
		  0x3ffffffffff01200ULL << 1); // bits 0 and 8 clear
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_WHOLE);
	cr_expect_eq(s.pages.n, 0);
}

Test(aspace, a_scan_keeps_to_its_range_on_either_half)
{
	uint64_t root = guest_page(g), budget = 1000, kernel = 0xffff888000000000;
	struct seen s = {0};

	guest_map_in(g, root, USER, 0, 8 * KIB4, KIB4, GUEST_RW);
	guest_map_in(g, root, kernel, 0, 8 * KIB4, KIB4, GUEST_RW);
	cr_expect_eq(scan(root, USER + 2 * KIB4, USER + 5 * KIB4, &budget, &s), SCAN_WHOLE);
	cr_expect_eq(s.pages.n, 3);
	cr_expect_eq(s.pages.at[0].va, USER + 2 * KIB4);
	s.pages.n = 0;
	cr_expect_eq(scan(root, kernel + 7 * KIB4, UINT64_MAX, &budget, &s), SCAN_WHOLE);
	cr_assert_eq(s.pages.n, 1);
	cr_expect_eq(s.pages.at[0].va, kernel + 7 * KIB4);
	s.pages.n = 0;
	cr_expect_eq(scan(root, 0, UINT64_MAX, &budget, &s), SCAN_WHOLE);
	cr_expect_eq(s.pages.n, 16);
	s.pages.n = 0;
	cr_expect_eq(scan(root, 5, 5, &budget, &s), SCAN_WHOLE);
	cr_expect_eq(scan(root, USER + 64 * KIB4, kernel, &budget, &s), SCAN_WHOLE);
	cr_expect_eq(s.pages.n, 0);
	vec_fini(&s.pages);
}

Test(aspace, a_scan_goes_on_behind_a_table_that_is_absent)
{
	uint64_t root = guest_page(g), budget = 100;
	struct seen s = {0};

	guest_map_in(g, root, 0x10000, 0x3000, KIB4, KIB4, GUEST_RW);
	guest_map_in(g, root, USER, 0x4000, KIB4, KIB4, GUEST_RW);
	guest_drop(g, guest_entry(g, root, 0x10000, 1));
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_HOLES);
	cr_assert_eq(s.pages.n, 1);
	cr_expect_eq(s.pages.at[0].va, USER);
	vec_fini(&s.pages);
}

Test(aspace, a_scan_ends_when_its_visitor_says_so)
{
	uint64_t root = guest_page(g), budget = 100;
	struct seen s = {.stop_after = 3};

	guest_map_in(g, root, USER, 0, 8 * KIB4, KIB4, GUEST_RW);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_STOPPED);
	cr_expect_eq(s.pages.n, 3);
	vec_fini(&s.pages);
}

Test(aspace, a_scan_reads_no_more_tables_than_its_budget)
{
	uint64_t root = guest_page(g), budget = 10;
	struct seen s = {0};

	for (uint64_t i = 0; i < 64; i++)
		guest_map_in(g, root, USER + i * MIB2, 0x5000, KIB4, KIB4, GUEST_RW);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_BUDGET);
	cr_expect_eq(budget, 0);
	cr_expect_lt(s.pages.n, 10);
	vec_fini(&s.pages);
}

Test(aspace, tables_that_lead_to_themselves_are_scanned_once)
{
	uint64_t root = guest_page(g), budget = 1000000;
	struct seen s = {0};

	for (uint64_t i = 0; i < 256; i++)
		put_entry(g, root + i * 8, root | GUEST_RW);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_CYCLE);
	cr_expect_eq(s.pages.n, 0);
	cr_expect_gt(budget, 1000000 - 10);
	vec_fini(&s.pages);
}

Test(aspace, a_table_that_leads_to_one_above_it_loses_no_other_page)
{
	uint64_t root = guest_page(g), budget = 1000;
	struct seen s = {0};

	guest_map_in(g, root, 0x10000, 0x3000, KIB4, KIB4, GUEST_RW);
	guest_map_in(g, root, 0x10000 + MIB2, 0x3000, KIB4, KIB4, GUEST_RW);
	guest_map_in(g, root, USER, 0x4000, KIB4, KIB4, GUEST_RW);
	put_entry(g, guest_entry(g, root, 0x10000 + MIB2, 2), root | GUEST_RW);
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_CYCLE);
	cr_assert_eq(s.pages.n, 2);
	cr_expect_eq(s.pages.at[0].va, 0x10000);
	cr_expect_eq(s.pages.at[1].va, USER);
	vec_fini(&s.pages);
}

// 512 ways to a table, in which are 512 ways to the next: 2^27 ways to one page table.
Test(aspace, tables_that_are_shared_over_and_over_do_not_multiply)
{
	uint64_t root = guest_page(g), l3 = guest_page(g), l2 = guest_page(g), l1 = guest_page(g);
	uint64_t budget = 100000;
	struct seen s = {0};

	for (uint64_t i = 0; i < 512; i++) {
		put_entry(g, root + i * 8, l3 | GUEST_RW);
		put_entry(g, l3 + i * 8, l2 | GUEST_RW);
		put_entry(g, l2 + i * 8, l1 | GUEST_RW);
		put_entry(g, l1 + i * 8, (i << 12) | GUEST_RW);
	}
	cr_expect_eq(scan(root, 0, 1ULL << 47, &budget, &s), SCAN_CYCLE);
	cr_expect_leq(s.pages.n, 512);
	vec_fini(&s.pages);
}
