// SPDX-License-Identifier: LGPL-2.1-or-later
// Page records in a row, against a plain account of what each page was sent as last: rows that fill
// leaves of the index, end inside them, come again, and pass the ends of blocks and windows.
#include "tests/unit/qemu_build.h"

#include "formats/window.h"

#include <criterion/criterion.h>

#include <string.h>

enum { FIRST = 700, SECOND = 1348, PAGES = FIRST + SECOND, LEAF = 512 };

enum sent { NOTHING, NOISE, FILL };

struct account {
	struct blob b;
	enum sent kind[PAGES];
	uint64_t how[PAGES]; // seed, or byte
	uint64_t at;	     // behind the record before, or anything
};

static const char *block_of(uint64_t page)
{
	return page < FIRST ? "n0" : "n1";
}

static uint64_t off_of(uint64_t page)
{
	return (page < FIRST ? page : page - FIRST) * PAGE_SIZE;
}

// The name stands where the block changes.
static const char *name_for(const struct account *a, uint64_t page)
{
	bool same = a->at < PAGES && block_of(a->at) == block_of(page);

	return same ? NULL : block_of(page);
}

static void send_fill(struct account *a, uint64_t page, uint8_t byte)
{
	q_fill(&a->b, off_of(page), name_for(a, page), byte);
	a->kind[page] = FILL;
	a->how[page] = byte;
	a->at = page;
}

static void send_noise(struct account *a, uint64_t page, uint64_t seed)
{
	q_page(&a->b, off_of(page), name_for(a, page), seed);
	a->kind[page] = NOISE;
	a->how[page] = seed;
	a->at = page;
}

static void begin(struct account *a)
{
	const struct q_block blocks[] = {{"n0", FIRST * PAGE_SIZE}, {"n1", SECOND * PAGE_SIZE}};

	a->at = PAGES;
	q_head(&a->b, "pc-i440fx-9.2");
	q_ram(&a->b, blocks, 2);
	q_section(&a->b, 2, Q_RAM);
}

static void is_page(struct image *img, const struct account *a, uint64_t page)
{
	uint8_t got[PAGE_SIZE], want[PAGE_SIZE];
	bool there = physmem_read(img->mem, page * PAGE_SIZE, got, sizeof(got));

	cr_assert_eq(there, a->kind[page] != NOTHING, "page %llu", (unsigned long long)page);
	if (!there)
		return;
	if (a->kind[page] == FILL)
		memset(want, (int)a->how[page], sizeof(want));
	else
		noise_fill(a->how[page], want, sizeof(want));
	cr_assert_eq(memcmp(got, want, sizeof(got)), 0, "page %llu", (unsigned long long)page);
}

static void check(struct account *a)
{
	struct image *img;

	q_be(&a->b, Q_EOS, 8);
	q_footer(&a->b, Q_RAM);
	q_ram_end(&a->b);
	q_end(&a->b, false);
	struct err *e = open_bytes(a->b.at, a->b.n, &img);
	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	for (uint64_t i = 0; i < PAGES; i++)
		is_page(img, a, i);
	image_close(img);
	blob_fini(&a->b);
}

static void send_zeros(struct account *a, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to; i++)
		send_fill(a, i, 0);
}

Test(qemu_rows, a_page_is_written_where_a_leaf_was_all_zeros)
{
	static struct account a;

	begin(&a);
	send_zeros(&a, 0, PAGES);
	send_noise(&a, 2 * LEAF + 3, 1);
	send_fill(&a, 3 * LEAF + 1, 0x5a);
	check(&a);
}

Test(qemu_rows, a_leaf_becomes_all_zeros)
{
	static struct account a;

	begin(&a);
	for (uint64_t i = FIRST; i < 2 * LEAF + 10; i++)
		send_noise(&a, i, i);
	send_zeros(&a, LEAF, FIRST);
	send_zeros(&a, 2 * LEAF, 3 * LEAF);
	send_noise(&a, 2 * LEAF, 7);
	check(&a);
}

Test(qemu_rows, zeros_that_are_not_in_a_row)
{
	static struct account a;

	begin(&a);
	send_zeros(&a, 0, LEAF - 1);
	send_fill(&a, LEAF - 1, 0xff);
	send_zeros(&a, 2 * LEAF, 2 * LEAF + 100);
	send_zeros(&a, 2 * LEAF + 101, 3 * LEAF);
	check(&a);
}

Test(qemu_rows, a_block_ends_inside_a_leaf)
{
	static struct account a;

	begin(&a);
	send_zeros(&a, LEAF, FIRST);
	check(&a);
}

// A leaf of the index whose first page is not the first of such a stretch of its block, as if its
// records were to be had of the first one by changing bits.
Test(qemu_rows, bits_of_offsets_that_are_not_a_row)
{
	static struct account a;
	const uint64_t first = 2 * LEAF - FIRST;

	begin(&a);
	for (uint64_t i = 0; i < LEAF; i++)
		send_fill(&a, FIRST + (first ^ i), 0);
	send_noise(&a, PAGES - 1, 1);
	check(&a);
}

static uint64_t next(uint64_t *x)
{
	*x = *x * 6364136223846793005ULL + 1442695040888963407ULL;
	return *x >> 33;
}

// Rows of any kind, length and place; together they pass many windows.
static void send_any(struct account *a, uint64_t seed)
{
	uint64_t x = seed;

	while (a->b.n < 5U * WINDOW_SIZE) {
		uint64_t from = next(&x) % PAGES, n = next(&x) % (next(&x) % 4 ? 40 : 900);
		uint64_t kind = next(&x) % 8;
		if (next(&x) % 2)
			from = from / LEAF * LEAF;
		for (uint64_t i = from; i < from + n && i < PAGES; i++)
			if (kind < 2)
				send_noise(a, i, next(&x));
			else
				send_fill(a, i, kind == 2 ? 0x5a : 0);
	}
}

Test(qemu_rows, of_any_kind_in_any_order)
{
	static struct account a;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		a = (struct account){0};
		begin(&a);
		send_any(&a, seed);
		check(&a);
	}
}
