// SPDX-License-Identifier: LGPL-2.1-or-later
// Page tables of the other architectures: PAE and the two levels of x86, arm64 of every granule.
#include "tests/unit/kernel_builder.h"

#include "src/base/bytes.h"
#include "src/base/vec.h"

#include <criterion/criterion.h>

#include <string.h>

enum {
	X86_ALL = 7,   // present, writable, user
	ARM_TABLE = 3, // valid, a table; of level 1: a page
	ARM_BLOCK = 1,
	ARM_USER = 1 << 6,
	ARM_READONLY = 1 << 7,
	ARM_ACCESSED = 1 << 10,
	ARM_NG = 1 << 11,
};
#define ARM_WRITE     (1ULL << 51)
#define ARM_PXN	      (1ULL << 53)
#define ARM_UXN	      (1ULL << 54)
#define ARM_DIRTY     (1ULL << 55)
#define ARM_PROT_NONE (1ULL << 58)
#define KERNEL_HALF   (1ULL << 63)

// A form of page tables, and what tests need to build them.
struct form {
	const char *what;
	struct paging paging;
	uint64_t table, page; // bits of entries
	uint64_t high;	      // an address near the end of what it maps
	unsigned largest;     // level whose entries can be pages
};

enum { FORMS = 10 };
static struct form forms[FORMS];
static struct guest *g;

static struct form arm64(const char *what, unsigned va_bits, unsigned page_shift, enum as_half half,
			 unsigned largest)
{
	struct form f = {what,	    paging_arm64(va_bits, page_shift, half),
			 ARM_TABLE, ARM_TABLE | ARM_ACCESSED | ARM_USER,
			 0,	    largest};

	f.high = half == HALF_UPPER ? -(1ULL << 21) : (1ULL << va_bits) - (1ULL << 21);
	return f;
}

static void make(void)
{
	g = guest_new(4);
	forms[0] = (struct form){"PAE", paging_x86_pae(), 1, X86_ALL, 0xfffff000, 2};
	forms[1] = (struct form){"two levels", paging_x86_32(), X86_ALL, X86_ALL, 0xfffff000, 2};
	forms[2] = arm64("4 KiB, 48 bits, upper", 48, 12, HALF_UPPER, 3);
	forms[3] = arm64("4 KiB, 48 bits, lower", 48, 12, HALF_LOWER, 3);
	forms[4] = arm64("4 KiB, 39 bits", 39, 12, HALF_UPPER, 3);
	forms[5] = arm64("4 KiB, 52 bits", 52, 12, HALF_UPPER, 3);
	forms[6] = arm64("16 KiB, 47 bits", 47, 14, HALF_UPPER, 2);
	forms[7] = arm64("64 KiB, 42 bits", 42, 16, HALF_LOWER, 2);
	forms[8] = arm64("64 KiB, 48 bits", 48, 16, HALF_UPPER, 2);
	forms[9] = arm64("64 KiB, 52 bits", 52, 16, HALF_UPPER, 2);
}

static void unmake(void)
{
	guest_free(g);
}

TestSuite(paging, .init = make, .fini = unmake);

// --- building ---

static uint64_t table_bytes(const struct paging *p, unsigned level)
{
	return paging_entries(p, level) * p->entry_size;
}

// A root of four entries lies inside of a page, as PAE's do.
static uint64_t new_table(const struct form *f, unsigned level)
{
	uint64_t size = table_bytes(&f->paging, level), at = (g->next + size - 1) & -size;

	cr_assert(at + size <= (uint64_t)GUEST_PAGES * PAGE_SIZE);
	g->next = at + size;
	return at;
}

static uint64_t slot_of(const struct form *f, uint64_t table, uint64_t va, unsigned level)
{
	uint64_t mask = paging_entries(&f->paging, level) - 1;

	return table + (va >> paging_shift(&f->paging, level) & mask) * f->paging.entry_size;
}

static uint64_t get(const struct form *f, uint64_t slot)
{
	return f->paging.entry_size == 8 ? le64(g->bytes + slot) : le32(g->bytes + slot);
}

static void put(const struct form *f, uint64_t slot, uint64_t entry)
{
	uint8_t bytes[8];

	memcpy(bytes, g->bytes + (slot & ~7ULL), 8);
	memcpy(bytes + (slot & 7), &entry, f->paging.entry_size);
	put_entry(g, slot & ~7ULL, le64(bytes));
}

// The place of va's entry of this level, with the tables above it.
static uint64_t reach(const struct form *f, uint64_t root, uint64_t va, unsigned level)
{
	uint64_t table = root;

	for (unsigned at = f->paging.levels; at > level; at--) {
		uint64_t slot = slot_of(f, table, va, at);
		if (!get(f, slot))
			put(f, slot, new_table(f, at - 1) | f->table);
		table = get(f, slot) & 0x0000fffffffff000;
	}
	return slot_of(f, table, va, level);
}

// The bits by which an entry of this level maps a page.
static uint64_t page_bits(const struct form *f, unsigned level)
{
	if (level == 1)
		return f->page;
	return f->paging.arch == ARCH_ARM64 ? f->page & ~2ULL : f->page | GUEST_LARGE;
}

static void map(const struct form *f, uint64_t root, uint64_t va, uint64_t pa, unsigned level)
{
	put(f, reach(f, root, va, level), pa | page_bits(f, level));
}

static struct aspace space(const struct form *f, uint64_t root)
{
	struct aspace as;

	aspace_init(&as, g->k.mem, root, f->paging);
	return as;
}

// --- scanning ---

struct seen {
	VEC(struct as_page) pages;
};

static bool see(void *arg, const struct as_page *page)
{
	struct seen *s = arg;

	vec_push(&s->pages, *page);
	return true;
}

static enum scan_end scan(const struct form *f, uint64_t root, struct seen *s)
{
	struct aspace as = space(f, root);
	uint64_t budget = 4096;

	s->pages.n = 0;
	return aspace_scan(&as, 0, UINT64_MAX, &budget, see, s);
}

// --- all of them ---

static void expect(const struct form *f, uint64_t root, uint64_t va, uint64_t want)
{
	struct aspace as = space(f, root);
	uint64_t pa = 1;
	enum as_fault why = aspace_translate(&as, va, &pa);

	cr_expect(why == AS_OK && pa == want, "%s: %llx -> %llx, %s", f->what,
		  (unsigned long long)va, (unsigned long long)pa, as_fault_text(why));
}

Test(paging, pages_of_every_size_are_found)
{
	for (const struct form *f = forms; f < forms + FORMS; f++) {
		uint64_t root = new_table(f, f->paging.levels), size;
		for (unsigned level = 1; level <= f->largest; level++) {
			size = 1ULL << paging_shift(&f->paging, level);
			uint64_t va = (f->high & -size) - (level > 1 ? size : 0);
			map(f, root, va, 3 * size, level);
			expect(f, root, va, 3 * size);
			expect(f, root, va + size - 1, 4 * size - 1);
		}
	}
}

Test(paging, a_scan_finds_the_same)
{
	struct seen s = {0};

	for (const struct form *f = forms; f < forms + FORMS; f++) {
		uint64_t root = new_table(f, f->paging.levels);
		uint64_t small = 1ULL << f->paging.page_shift;
		uint64_t large = 1ULL << paging_shift(&f->paging, 2);
		uint64_t low = f->paging.half == HALF_UPPER ? ~0ULL << f->paging.va_bits : 0;
		map(f, root, low + 5 * small, 2 * small, 1);
		map(f, root, low + 3 * large, 7 * large, 2);
		map(f, root, f->high, 9 * small, 1);
		cr_expect_eq(scan(f, root, &s), SCAN_WHOLE, "%s", f->what);
		cr_assert_eq(s.pages.n, 3, "%s: %zu", f->what, s.pages.n);
		cr_expect_eq(s.pages.at[0].va, low + 5 * small, "%s", f->what);
		cr_expect_eq(s.pages.at[0].pa, 2 * small);
		cr_expect_eq(s.pages.at[0].size, small);
		cr_expect_eq(s.pages.at[1].va, low + 3 * large);
		cr_expect_eq(s.pages.at[1].pa, 7 * large);
		cr_expect_eq(s.pages.at[1].size, large);
		cr_expect_eq(s.pages.at[2].va, f->high);
	}
	vec_fini(&s.pages);
}

Test(paging, other_addresses_are_not_canonical)
{
	for (const struct form *f = forms; f < forms + FORMS; f++) {
		struct aspace as = space(f, new_table(f, f->paging.levels));
		bool upper = f->paging.half == HALF_UPPER;
		uint64_t pa, beyond = upper ? (~0ULL << f->paging.va_bits) - 1
					    : 1ULL << f->paging.va_bits;
		cr_expect_eq(aspace_translate(&as, beyond, &pa), AS_NOT_CANONICAL, "%s", f->what);
		cr_expect_eq(aspace_translate(&as, KERNEL_HALF, &pa), AS_NOT_CANONICAL);
		cr_expect_eq(aspace_translate(&as, f->high, &pa), AS_NOT_MAPPED, "%s", f->what);
	}
}

Test(paging, a_table_that_is_absent_is_said_to_be_so)
{
	struct seen s = {0};

	for (const struct form *f = forms; f < forms + FORMS; f++) {
		uint64_t root = new_table(f, f->paging.levels);
		map(f, root, f->high, 0, 1);
		put(f, reach(f, root, f->high, 2), 0x7ff0000000 | f->table);
		if (f->paging.entry_size == 4)
			put(f, reach(f, root, f->high, 2), 0x70000000 | f->table);
		struct aspace as = space(f, root);
		uint64_t pa;
		cr_expect_eq(aspace_translate(&as, f->high, &pa), AS_TABLE_ABSENT, "%s", f->what);
		cr_expect_eq(scan(f, root, &s), SCAN_HOLES, "%s", f->what);
	}
	vec_fini(&s.pages);
}

Test(paging, tables_that_lead_to_themselves_are_scanned_once)
{
	struct seen s = {0};

	for (const struct form *f = forms; f < forms + FORMS; f++) {
		uint64_t root = new_table(f, f->paging.levels);
		uint64_t table = new_table(f, f->paging.levels - 1);
		put(f, slot_of(f, root, f->high, f->paging.levels), table | f->table);
		for (uint64_t i = 0; i < paging_entries(&f->paging, f->paging.levels - 1); i++)
			put(f, table + i * f->paging.entry_size, table | f->table);
		struct aspace as = space(f, root);
		uint64_t pa;
		(void)aspace_translate(&as, f->high, &pa);
		enum scan_end end = scan(f, root, &s);
		// of two levels the table below the root is a page table, full of itself
		cr_expect_eq(end, f->paging.levels == 2 ? SCAN_WHOLE : SCAN_CYCLE, "%s: %s",
			     f->what, scan_end_text(end));
	}
	vec_fini(&s.pages);
}

// Whatever tables hold, walks end and stay inside of memory.
Test(paging, any_bytes_can_be_tables)
{
	uint64_t seed = 88172645463325252;
	struct seen s = {0};

	for (uint64_t at = 0x100000; at < 0x200000; at += 8) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		// most lead to other such tables
		put_entry(g, at,
			  seed % 8 ? (seed & 0xfff0000000000fff) | 0x100000 | (seed >> 20 & 0xff000)
				   : seed);
	}
	for (const struct form *f = forms; f < forms + FORMS; f++)
		for (uint64_t root = 0x100000; root < 0x140000; root += 0x10000) {
			struct aspace as = space(f, root);
			for (uint64_t i = 0; i < 1000; i++) {
				uint64_t pa;
				(void)aspace_translate(&as, f->high - i * 0x123457, &pa);
			}
			(void)scan(f, root, &s);
		}
	vec_fini(&s.pages);
}

// --- PAE and the two levels of x86 ---

Test(paging, roots_of_pae_begin_at_any_32_bytes)
{
	const struct form *f = &forms[0];

	for (uint64_t off = 0; off < 128; off += 32) {
		uint64_t page = guest_page(g), root = page + off;
		map(f, root, 0xc0001000, 0x5000, 1);
		// of CR3 the low five bits are none of the address
		expect(f, root | 0x18, 0xc0001abc, 0x5abc);
	}
}

Test(paging, pae_has_rights_below_its_root)
{
	const struct form *f = &forms[0];
	uint64_t root = new_table(f, 3);
	struct seen s = {0};

	map(f, root, 0x1000, 0x5000, 1);
	put(f, reach(f, root, 0x2000, 1), 0x6000 | GUEST_PRESENT | GUEST_NX | GUEST_DIRTY);
	put(f, reach(f, root, 0x3000, 1), 0x100000000 | X86_ALL); // beyond 4 GiB
	put(f, reach(f, root, 0x1000, 2), get(f, reach(f, root, 0x1000, 2)) | X86_ALL);
	cr_expect_eq(scan(f, root, &s), SCAN_WHOLE);
	cr_assert_eq(s.pages.n, 3);
	const struct as_page *p = s.pages.at;
	cr_expect(p[0].writable && p[0].executable && p[0].user);
	cr_expect(!p[1].writable && !p[1].executable && !p[1].user && p[1].dirty);
	cr_expect_eq(p[2].pa, 0x100000000);
	vec_fini(&s.pages);
}

Test(paging, pages_without_rights_of_pae_are_inverted_those_of_two_levels_are_not)
{
	uint64_t frame = ~0x5000ULL & 0x000ffffffffff000;
	struct seen s = {0};

	for (int i = 0; i < 2; i++) {
		const struct form *f = &forms[i];
		uint64_t root = new_table(f, f->paging.levels), pa;
		put(f, reach(f, root, 0x1000, 1), (i == 0 ? frame : 0x5000) | GUEST_PROT_NONE);
		cr_expect_eq(scan(f, root, &s), SCAN_WHOLE);
		cr_assert_eq(s.pages.n, 1, "%s", f->what);
		cr_expect(s.pages.at[0].prot_none && s.pages.at[0].pa == 0x5000, "%s", f->what);
		struct aspace as = space(f, root);
		cr_expect_eq(aspace_translate(&as, 0x1000, &pa), AS_NOT_MAPPED);
	}
	vec_fini(&s.pages);
}

Test(paging, large_pages_of_two_levels_reach_beyond_4_gib)
{
	const struct form *f = &forms[1];
	uint64_t root = new_table(f, 2);

	put(f, reach(f, root, 0xc0000000, 2), 0x00400000 | 1 << 13 | GUEST_LARGE | X86_ALL);
	expect(f, root, 0xc0001234, 0x100401234);
}

// --- arm64 ---

static struct as_entry entry(const struct form *f, uint64_t raw, unsigned level)
{
	return f->paging.entry(&f->paging, raw, level);
}

Test(paging, arm64_has_the_upper_bits_of_an_address_elsewhere)
{
	uint64_t page = ARM_TABLE | ARM_ACCESSED;

	cr_expect_eq(entry(&forms[2], 0x0000fffffffff000 | 3 << 8 | page, 1).pa, 0x0000fffffffff000,
		     "bits 8 and 9 are the shareability");
	cr_expect_eq(entry(&forms[5], 0x0003fffffffff000 | 2 << 8 | page, 1).pa, 0x000bfffffffff000,
		     "bits 8 and 9 are 50 and 51");
	cr_expect_eq(entry(&forms[9], 0x0000ffffffff0000 | 0xa000 | page, 1).pa, 0x000affffffff0000,
		     "bits 12 to 15 are 48 to 51");
}

Test(paging, arm64_levels_that_cannot_map_pages_do_not)
{
	cr_expect_eq(entry(&forms[2], ARM_BLOCK | ARM_ACCESSED, 1).kind, ENTRY_NONE);
	cr_expect_eq(entry(&forms[2], ARM_BLOCK | ARM_ACCESSED, 3).kind, ENTRY_PAGE);
	cr_expect_eq(entry(&forms[2], ARM_BLOCK | ARM_ACCESSED, 4).kind, ENTRY_NONE);
	cr_expect_eq(entry(&forms[5], ARM_BLOCK | ARM_ACCESSED, 4).kind, ENTRY_PAGE, "512 GiB");
	cr_expect_eq(entry(&forms[6], ARM_BLOCK | ARM_ACCESSED, 3).kind, ENTRY_NONE);
}

Test(paging, arm64_rights)
{
	const struct form *user = &forms[3], *kernel = &forms[2];
	uint64_t page = ARM_TABLE | ARM_ACCESSED | ARM_USER;

	cr_expect(entry(user, page | ARM_PXN, 1).executable);
	cr_expect_not(entry(user, page | ARM_UXN, 1).executable);
	cr_expect(entry(kernel, page | ARM_UXN, 1).executable);
	cr_expect_not(entry(kernel, page | ARM_PXN, 1).executable);
	cr_expect_not(entry(user, page | ARM_READONLY, 1).writable);
	struct as_entry clean = entry(user, page | ARM_READONLY | ARM_WRITE, 1);
	cr_expect(clean.writable && !clean.dirty, "the CPU makes it writable when it is written");
	struct as_entry dirty = entry(user, page | ARM_WRITE, 1);
	cr_expect(dirty.writable && dirty.dirty && dirty.accessed && dirty.user);
	cr_expect(entry(user, page | ARM_READONLY | ARM_DIRTY, 1).dirty);
	struct as_entry table = entry(user, ARM_TABLE | 1ULL << 60 | 3ULL << 61, 2);
	cr_expect(!table.executable && !table.user && !table.writable, "none of these below");
}

// PTE_PROT_NONE until 6.10, PTE_PRESENT_INVALID since; of both only the valid bit is cleared.
Test(paging, arm64_pages_without_rights_are_told_from_swapped_ones)
{
	const struct form *f = &forms[3];
	uint64_t page = (ARM_TABLE | ARM_ACCESSED) & ~1ULL;

	cr_expect_eq(entry(f, 0x5000 | page | ARM_NG | ARM_PROT_NONE, 1).kind, ENTRY_PROT_NONE);
	cr_expect_eq(entry(f, 0x5000 | page | ARM_NG, 1).kind, ENTRY_PROT_NONE);
	cr_expect_eq(entry(f, 0x5000 | page | ARM_NG, 1).pa, 0x5000);
	cr_expect_eq(entry(f, 0x123 << 12 | 1 << 8 | ARM_NG, 1).kind, ENTRY_NONE, "swap before");
	cr_expect_eq(entry(f, 0x123 << 12 | 1 << 6, 1).kind, ENTRY_NONE, "swap since");
	cr_expect_eq(entry(f, 0x200000 | ARM_ACCESSED | ARM_PROT_NONE, 2).kind, ENTRY_PROT_NONE);
	cr_expect_eq(entry(f, 0x200000 | ARM_ACCESSED | ARM_NG, 2).kind, ENTRY_PROT_NONE);
	cr_expect_eq(entry(f, 0, 2).kind, ENTRY_NONE);
}
