// SPDX-License-Identifier: LGPL-2.1-or-later
// VMware snapshots: memory inside the state file and beside it, whole and hostile.
#include "tests/unit/vmware_build.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 12 };
#define BED2 0xbed2bed2U

// --- building ---

static void cpu_group(struct vmware_build *b, unsigned n)
{
	uint64_t regs[16], control[9];

	vmware_group(b, "cpu");
	vmware_u32(b, "cpu:numVCPUs", -1, n);
	for (uint32_t cpu = 0; cpu < n; cpu++) {
		const uint32_t gs[2] = {cpu, 5}, cs[2] = {cpu, 1};
		const uint8_t idt[10] = {0xff, 0x0f, (uint8_t)(cpu + 1), 2, 3, 4, 5, 6, 7, 8};
		for (unsigned i = 0; i < 16; i++)
			regs[i] = cpu * 1000 + i;
		for (unsigned i = 0; i < 9; i++)
			control[i] = cpu * 1000 + 100 + i;
		vmware_block(b, "gpregs", 1, &cpu, 3, regs, sizeof(regs), false);
		vmware_block(b, "CR64", 1, &cpu, 0, control, sizeof(control), false);
		vmware_block(b, "IDTR", 1, &cpu, 0, idt, sizeof(idt), false);
		vmware_tag(b, "rip", 1, &cpu, &(uint64_t){cpu * 1000 + 200}, 8);
		vmware_tag(b, "S", 2, cs, &(uint16_t){0x10}, 2);
		vmware_tag(b, "S.base64", 2, gs, &(uint64_t){cpu * 1000 + 300}, 8);
		vmware_tag(b, "unheard of", 1, &cpu, "abc", 3);
	}
	vmware_group_end(b);
}

// Memory inside: PAGES pages of noise of their place.
static void put_memory(struct vmware_build *b, bool compressed)
{
	static const uint32_t index[2];
	static uint8_t bytes[PAGES * PAGE];

	noise_fill(0, bytes, sizeof(bytes));
	vmware_block(b, "Memory", 2, index, 77, bytes, sizeof(bytes), compressed);
}

static struct image *open_build(struct vmware_build *b)
{
	struct image *img;
	struct err *e = open_bytes(b->file.at, b->file.n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "vmware");
	blob_fini(&b->file);
	return img;
}

static void refuse_build(struct vmware_build *b, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(b->file.at, b->file.n, &img);

	cr_assert_not_null(e, "opened, though \"%s\"", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
	blob_fini(&b->file);
}

static bool has(struct image *img, uint64_t pa)
{
	uint8_t byte;

	return physmem_read(img->mem, pa, &byte, 1);
}

// Frame holds what lies at this page of the memory.
static bool holds(struct image *img, uint64_t frame, uint64_t page)
{
	uint8_t got[PAGE], want[PAGE];

	noise_fill(page * PAGE, want, PAGE);
	return physmem_read(img->mem, frame * PAGE, got, PAGE) && memcmp(got, want, PAGE) == 0;
}

static void begin_with_regions(struct vmware_build *b, uint32_t magic, int count)
{
	vmware_begin(b, magic, 4);
	cpu_group(b, 2);
	vmware_group(b, "memory");
	if (count >= 0)
		vmware_u32(b, "regionsCount", -1, (uint32_t)count);
}

// --- memory inside ---

Test(vmware, every_magic_and_width_opens)
{
	static const uint32_t magics[] = {BED2,	      0xbed2bed0, 0xbed0bed0,
					  0xbad1bad1, 0xbad2bad2, 0xbed3bed3};
	struct vmware_build b;

	for (size_t i = 0; i < 6; i++) {
		begin_with_regions(&b, magics[i], 1);
		vmware_region(&b, 0, 0, 0, PAGES);
		put_memory(&b, false);
		vmware_group_end(&b);
		struct image *img = open_build(&b);
		cr_assert_not(img->truncated, "%s", img->truncated_why);
		cr_assert(holds(img, 0, 0) && holds(img, PAGES - 1, PAGES - 1));
		cr_assert_not(has(img, PAGES * PAGE));
		cr_assert_eq(img->n_vcpus, 2);
		image_close(img);
	}
}

Test(vmware, regions_in_any_number_and_order)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 4);
	vmware_region(&b, 3, 0x200000, 8, 4);
	vmware_region(&b, 1, 0x100, 2, 2);
	vmware_region(&b, 0, 0, 0, 2);
	vmware_region(&b, 2, 0x100000, 4, 4);
	put_memory(&b, false);
	vmware_group_end(&b);
	struct image *img = open_build(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(img->n_runs, 4);
	cr_assert(holds(img, 1, 1) && holds(img, 0x101, 3) && holds(img, 0x100003, 7) &&
		  holds(img, 0x200003, 11));
	cr_assert_not(has(img, 0x2000));
	image_close(img);
}

// The count decides: 0, or none, means one region with all of it.
Test(vmware, without_a_count_memory_is_one_region)
{
	struct vmware_build b;

	for (int count = -1; count <= 0; count++) {
		begin_with_regions(&b, BED2, count);
		vmware_region(&b, 0, 0x100, 0, 2);
		put_memory(&b, false);
		vmware_group_end(&b);
		struct image *img = open_build(&b);
		cr_assert_eq(img->n_runs, 1);
		cr_assert(holds(img, PAGES - 1, PAGES - 1));
		image_close(img);
	}
}

Test(vmware, groups_come_in_any_order)
{
	struct vmware_build b;

	vmware_begin(&b, BED2, 4);
	vmware_group(&b, "memory");
	put_memory(&b, false);
	vmware_region(&b, 0, 0x10, 0, PAGES);
	vmware_u32(&b, "regionsCount", -1, 1);
	vmware_group_end(&b);
	vmware_group(&b, "Checkpoint");
	vmware_group_end(&b);
	cpu_group(&b, 1);
	struct image *img = open_build(&b);
	cr_assert(holds(img, 0x10, 0));
	cr_assert_eq(img->n_vcpus, 1);
	image_close(img);
}

Test(vmware, compressed_memory_is_refused_by_name)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 0);
	put_memory(&b, true);
	vmware_group_end(&b);
	refuse_build(&b, ERR_UNSUPPORTED, "compressed memory");
}

// --- registers ---

static uint64_t reg(const struct vcpu *v, enum vcpu_reg r)
{
	cr_assert(v->has >> r & 1);
	return v->reg[r];
}

Test(vmware, registers_in_blocks)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 0);
	put_memory(&b, false);
	vmware_group_end(&b);
	struct image *img = open_build(&b);
	const struct vcpu *v = &img->vcpus[1];
	cr_assert_eq(reg(v, VCPU_RSP), 1004);
	cr_assert_eq(reg(v, VCPU_RIP), 1200);
	cr_assert_eq(reg(v, VCPU_CR3), 1103);
	cr_assert_eq(reg(v, VCPU_CR4), 1104);
	cr_assert_eq(reg(v, VCPU_CS), 0x10);
	cr_assert_eq(reg(v, VCPU_GS_BASE), 1300);
	cr_assert_eq(reg(v, VCPU_IDT_BASE), 0x0807060504030202);
	cr_assert_not(v->has >> VCPU_KERNEL_GS_BASE & 1);
	image_close(img);
}

Test(vmware, registers_one_by_one)
{
	static const uint32_t cr3[2] = {0, 3}, low[2] = {0, 1}, high[2] = {0, 2}, cpu;
	struct vmware_build b;

	vmware_begin(&b, BED2, 2);
	vmware_group(&b, "cpu");
	vmware_tag(&b, "rsp", 1, &cpu, &(uint64_t){11}, 8);
	vmware_tag(&b, "eflags", 1, &cpu, &(uint32_t){0x246}, 4);
	vmware_tag(&b, "CR64", 2, cr3, &(uint64_t){33}, 8);
	vmware_tag(&b, "IDTR", 2, high, &(uint32_t){0xffffffff}, 4);
	vmware_tag(&b, "IDTR", 2, low, &(uint32_t){0x81000000}, 4);
	vmware_u32(&b, "cpu:numVCPUs", -1, 1);
	vmware_group_end(&b);
	vmware_group(&b, "memory");
	put_memory(&b, false);
	vmware_group_end(&b);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(reg(img->vcpus, VCPU_RSP), 11);
	cr_assert_eq(reg(img->vcpus, VCPU_RFLAGS), 0x246);
	cr_assert_eq(reg(img->vcpus, VCPU_CR3), 33);
	cr_assert_eq(reg(img->vcpus, VCPU_IDT_BASE), 0xffffffff81000000);
	image_close(img);
}

// --- hostile ---

Test(vmware, indices_out_of_range_are_told)
{
	static const uint32_t far[2] = {4, 3}, wild[2] = {UINT32_MAX, 3};
	struct vmware_build b;

	vmware_begin(&b, BED2, 3);
	vmware_group(&b, "cpu");
	vmware_u32(&b, "cpu:numVCPUs", -1, 2);
	vmware_tag(&b, "CR64", 2, far, &(uint64_t){1}, 8);
	vmware_tag(&b, "CR64", 2, wild, &(uint64_t){1}, 8);
	vmware_group_end(&b);
	vmware_group(&b, "memory");
	vmware_u32(&b, "regionsCount", -1, 1);
	vmware_region(&b, 0, 0, 0, PAGES);
	vmware_u32(&b, "regionPPN", 7, 5);
	vmware_u32(&b, "regionSize", 0x7fffffff, 5);
	put_memory(&b, false);
	vmware_group_end(&b);
	struct image *img = open_build(&b);
	cr_assert_eq(img->n_vcpus, 2);
	cr_assert_eq(img->n_runs, 1);
	cr_assert_not_null(strstr(img->truncated_why, "4 tags"), "%s", img->truncated_why);
	image_close(img);
}

Test(vmware, counts_of_regions_are_bounded)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 0x7fffffff);
	put_memory(&b, false);
	vmware_group_end(&b);
	refuse_build(&b, ERR_LIMIT, "memory regions");
	begin_with_regions(&b, BED2, 3);
	vmware_region(&b, 0, 0, 0, PAGES);
	put_memory(&b, false);
	vmware_group_end(&b);
	refuse_build(&b, ERR_FORMAT, "counts 3 memory regions and describes 1");
}

Test(vmware, regions_that_overlap_or_lie_outside)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 2);
	vmware_region(&b, 0, 0, 0, 4);
	vmware_region(&b, 1, 2, 4, PAGES - 4);
	put_memory(&b, false);
	vmware_group_end(&b);
	refuse_build(&b, ERR_FORMAT, "overlaps");
	begin_with_regions(&b, BED2, 2);
	vmware_region(&b, 0, 0, 0, 4);
	vmware_region(&b, 1, 0x100, 10, UINT32_MAX);
	put_memory(&b, false);
	vmware_group_end(&b);
	struct image *img = open_build(&b);
	cr_assert(holds(img, 0x101, 11) && !has(img, 0x102000));
	cr_assert(img->truncated);
	image_close(img);
	begin_with_regions(&b, BED2, 1);
	vmware_region(&b, 0, 0, UINT32_MAX, UINT32_MAX);
	put_memory(&b, false);
	vmware_group_end(&b);
	refuse_build(&b, ERR_FORMAT, "no memory");
}

Test(vmware, numbers_and_places_of_groups_that_lie)
{
	static const uint64_t lies[] = {0, UINT64_C(1) << 32, UINT64_C(1) << 60, UINT64_MAX};
	struct vmware_build b;
	struct image *img;

	for (size_t i = 0; i < 8; i++) {
		begin_with_regions(&b, BED2, 0);
		put_memory(&b, false);
		vmware_group_end(&b);
		if (i < 4)
			blob_put(&b.file, 8, &lies[i], 4); // 0, 0, 0, 2^32 - 1
		else
			blob_put(&b.file, 12 + 64, &lies[i - 4], 8);
		size_t before = mem_in_use();
		if (!open_bytes(b.file.at, b.file.n, &img)) {
			cr_assert_lt(mem_in_use(), before + (32 << 20));
			image_close(img);
		}
		blob_fini(&b.file);
	}
}

Test(vmware, can_be_cut_anywhere)
{
	struct vmware_build b;
	struct image *img;

	begin_with_regions(&b, BED2, 1);
	vmware_region(&b, 0, 0, 0, PAGES);
	put_memory(&b, false);
	size_t end = b.file.n, memory = end - (size_t)PAGES * PAGE;
	vmware_group_end(&b);
	for (size_t n = 4; n < end; n += n < memory + 64 || n > end - 64 ? 1 : 501) {
		struct err *e = open_bytes(b.file.at, n, &img);
		cr_assert_eq(e == NULL, n > memory, "%zu: %s", n, e ? e->msg : "opened");
		if (e)
			continue;
		cr_assert(img->truncated);
		cr_assert(has(img, n - memory - 1) && !has(img, n - memory));
		image_close(img);
	}
	blob_fini(&b.file);
}

Test(vmware, survives_random_damage)
{
	struct vmware_build b;
	struct blob copy = {0};
	struct image *img;
	uint64_t x = 1;

	begin_with_regions(&b, BED2, 2);
	vmware_region(&b, 0, 0, 0, 4);
	vmware_region(&b, 1, 0x100, 4, PAGES - 4);
	put_memory(&b, false);
	size_t memory = b.file.n - (size_t)PAGES * PAGE;
	vmware_group_end(&b);
	for (int i = 0; i < 10000; i++) {
		copy.n = 0;
		blob_put(&copy, 0, b.file.at, b.file.n);
		for (int k = 0; k < 1 + i % 4; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			copy.at[4 + (x >> 33) % (memory - 4)] = (uint8_t)(x >> 25);
		}
		if (open_bytes(copy.at, copy.n, &img))
			continue;
		(void)has(img, physmem_end(img->mem) - 1);
		image_close(img);
	}
	blob_fini(&copy);
	blob_fini(&b.file);
}

// --- two files ---

static char dir[64];

static void make_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "%s", P_tmpdir "/vmiscan-vmware-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static const char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned at;

	at = (at + 1) % 4;
	(void)snprintf(path[at], sizeof(path[at]), "%s/%s", dir, name);
	return path[at];
}

static void remove_dir(void)
{
	static const char *const names[] = {"a.vmem", "a.vmss", "a.vmsn", "b.vmss", "c.raw"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(path_of(names[i]));
	(void)rmdir(dir);
}

static void put_file(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(path_of(name), "wb");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

static void put_vmem(const char *name, size_t pages)
{
	static uint8_t bytes[2 * PAGES * PAGE];

	noise_fill(0, bytes, sizeof(bytes));
	put_file(name, bytes, pages * PAGE);
}

// Two regions that make PAGES pages together.
static void put_state(const char *name, uint32_t second)
{
	struct vmware_build b;

	begin_with_regions(&b, BED2, 2);
	vmware_region(&b, 0, 0, 0, 4);
	vmware_region(&b, 1, second, 4, PAGES - 4);
	vmware_group_end(&b);
	put_file(name, b.file.at, b.file.n);
	blob_fini(&b.file);
}

static struct image *open_file(const char *name, const char *vmss)
{
	const struct fmt_options opts = {.vmss = vmss ? path_of(vmss) : NULL};
	struct image *img;
	struct err *e = image_open(path_of(name), &opts, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return img;
}

static void refuse_open(const char *name, const char *vmss, enum err_code code, const char *word)
{
	const struct fmt_options opts = {.vmss = vmss ? path_of(vmss) : NULL};
	struct image *img;
	struct err *e = image_open(path_of(name), &opts, &img);

	cr_assert_not_null(e, "opened, though \"%s\"", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
}

TestSuite(vmware_pair, .init = make_dir, .fini = remove_dir);

Test(vmware_pair, each_finds_the_other)
{
	static const char *const states[] = {"a.vmss", "a.vmsn"};

	put_vmem("a.vmem", PAGES);
	for (size_t i = 0; i < 2; i++) {
		put_state(states[i], 0x100);
		for (int from_memory = 0; from_memory < 2; from_memory++) {
			struct image *img = open_file(from_memory ? "a.vmem" : states[i], NULL);
			cr_assert_str_eq(img->fmt->name, "vmware");
			cr_assert_not(img->truncated, "%s", img->truncated_why);
			cr_assert(holds(img, 3, 3) && holds(img, 0x100, 4) && !has(img, 0x4000));
			cr_assert_eq(img->n_vcpus, 2);
			cr_assert_str_eq(img->beside_role, from_memory ? "state" : "memory");
			image_close(img);
		}
		(void)unlink(path_of(states[i]));
	}
}

Test(vmware_pair, a_stale_state_file_is_not_taken)
{
	put_vmem("a.vmem", PAGES + 1);
	put_state("a.vmss", 0x100);
	struct image *img = open_file("a.vmem", NULL);
	cr_assert_str_eq(img->fmt->name, "raw");
	cr_assert_not_null(strstr(img->truncated_why, "a.vmss beside it is not of this memory"));
	cr_assert(holds(img, PAGES, PAGES));
	image_close(img);
	img = open_file("a.vmem", "a.vmss"); // who names it wants it
	cr_assert_str_eq(img->fmt->name, "vmware");
	cr_assert(img->truncated);
	cr_assert(holds(img, 0x100, 4));
	image_close(img);
}

Test(vmware_pair, the_one_that_fits_is_taken)
{
	struct vmware_build b;

	put_vmem("a.vmem", PAGES);
	put_state("a.vmsn", 0x200);
	begin_with_regions(&b, BED2, 1);
	vmware_region(&b, 0, 0, 0, PAGES + 5);
	vmware_group_end(&b);
	put_file("a.vmss", b.file.at, b.file.n);
	blob_fini(&b.file);
	struct image *img = open_file("a.vmem", NULL);
	cr_assert(holds(img, 0x200, 4));
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	image_close(img);
}

Test(vmware_pair, a_memory_file_that_is_cut_is_told)
{
	put_vmem("a.vmem", 6);
	put_state("a.vmss", 0x100);
	struct image *img = open_file("a.vmss", NULL);
	cr_assert(img->truncated);
	cr_assert(holds(img, 0x101, 5) && !has(img, 0x102000));
	image_close(img);
}

Test(vmware_pair, what_is_missing_is_named)
{
	put_vmem("a.vmem", PAGES);
	put_state("b.vmss", 0x100);
	refuse_open("b.vmss", NULL, ERR_IO, "b.vmem");
	refuse_open("a.vmem", "c.raw", ERR_IO, "--vmss");
	put_vmem("c.raw", PAGES);
	refuse_open("a.vmem", "c.raw", ERR_FORMAT, "is not a VMware state file");
	refuse_open("b.vmss", "b.vmss", ERR_USAGE, "--vmss is for a .vmem");
	struct image *img = open_file("c.raw", "b.vmss"); // named: the memory's name does not count
	cr_assert(holds(img, 0x100, 4));
	image_close(img);
}
