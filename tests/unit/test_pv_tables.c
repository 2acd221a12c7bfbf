// SPDX-License-Identifier: LGPL-2.1-or-later
// Page tables that hold frames of the host, as those of paravirtual guests.
#include "src/arch/aspace.h"

#include <criterion/criterion.h>

#include <string.h>

enum { FRAMES = 8, PRESENT = 1, WRITE = 2, USER = 4, PROT_NONE = 0x100, LARGE = 0x80 };
// Frame n of the guest is frame HOST + 16 - n of the host; HOST + 64 is another's.
#define HOST	0x123400ULL
#define OF(n)	((HOST + 16 - (n)) << 12)
#define FOREIGN ((HOST + 64) << 12)
#define VA	0x00007f1234567000ULL

static uint8_t memory[FRAMES][PAGE_SIZE];

static struct err *read_memory(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			       void *buf, size_t n, size_t *got)
{
	(void)src;
	memcpy(buf, &memory[0][0] + run->pa + delta, n);
	*got = n;
	return NULL;
}

static bool guest_frame(struct mem_source *src, uint64_t host, uint64_t *guest)
{
	(void)src;
	*guest = HOST + 16 - host;
	return *guest < FRAMES;
}

static struct mem_source source = {.read = read_memory, .guest_frame = guest_frame};
static const struct mem_run all = {0, sizeof(memory), 0, MEM_PRESENT};
static struct physmem *pm;
static struct aspace as;

static void entry(unsigned table, uint64_t va, unsigned level, uint64_t value)
{
	memcpy(&memory[table][(va >> (12 + 9 * (level - 1)) & 511) * 8], &value, 8);
}

static void make(void)
{
	memset(memory, 0, sizeof(memory));
	memory[5][0x10] = 42;
	entry(1, VA, 4, OF(2) | PRESENT | WRITE | USER);
	entry(2, VA, 3, OF(3) | PRESENT | WRITE | USER);
	entry(3, VA, 2, OF(4) | PRESENT | WRITE | USER);
	entry(4, VA, 1, OF(5) | PRESENT | WRITE | USER);
	entry(4, VA + 0x1000, 1, FOREIGN | PRESENT | USER);
	entry(4, VA + 0x2000, 1, (~UINT64_C(6) << 12 & 0xffffffffff000) | PROT_NONE);
	entry(4, VA + 0x3000, 1, OF(7) | PRESENT | USER);
	cr_assert_null(physmem_new(&source, &all, 1, &pm));
	aspace_init(&as, pm, 1 << 12, paging_x86_64(4));
}

static void unmake(void)
{
	physmem_free(pm);
}

TestSuite(pv_tables, .init = make, .fini = unmake);

Test(pv_tables, are_walked_through_the_host_frames)
{
	uint64_t pa;
	uint8_t byte;

	cr_assert_eq(aspace_translate(&as, VA + 0x10, &pa), AS_OK);
	cr_assert_eq(pa, 0x5010);
	cr_assert_eq(aspace_read(&as, VA + 0x10, &byte, 1), AS_OK);
	cr_assert_eq(byte, 42);
}

Test(pv_tables, a_frame_that_is_not_the_guests_is_absent)
{
	uint64_t pa;

	entry(3, VA + 0x200000, 2, FOREIGN | PRESENT | USER);
	cr_assert_eq(aspace_translate(&as, VA + 0x1000, &pa), AS_PAGE_ABSENT);
	cr_assert_eq(aspace_translate(&as, VA + 0x200000, &pa), AS_TABLE_ABSENT);
}

struct seen {
	struct as_page page[8];
	unsigned n;
};

static bool visit(void *arg, const struct as_page *p)
{
	struct seen *s = arg;

	cr_assert(s->n < 8);
	s->page[s->n++] = *p;
	return true;
}

Test(pv_tables, a_scan_gives_the_guests_addresses)
{
	struct seen s = {0};
	uint64_t budget = 100;

	cr_assert_eq(aspace_scan(&as, 0, 1ULL << 47, &budget, visit, &s), SCAN_WHOLE);
	cr_assert_eq(s.n, 3);
	cr_assert_eq(s.page[0].pa, 0x5000);
	cr_assert(s.page[1].prot_none);
	cr_assert_eq(s.page[1].va, VA + 0x2000);
	cr_assert_eq(s.page[1].pa, 0x6000); // an absent entry holds the guest's own frame
	cr_assert_eq(s.page[2].pa, 0x7000);
}

Test(pv_tables, a_table_that_is_not_the_guests_is_a_hole)
{
	struct seen s = {0};
	uint64_t budget = 100;

	entry(2, VA + (1ULL << 30), 3, FOREIGN | PRESENT | USER);
	cr_assert_eq(aspace_scan(&as, 0, 1ULL << 47, &budget, visit, &s), SCAN_HOLES);
	cr_assert_eq(s.n, 3);
}
