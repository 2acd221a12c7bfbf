// SPDX-License-Identifier: LGPL-2.1-or-later
// Cores by xl dump-core, whole and hostile.
#include "tests/unit/xen_build.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static struct image *open_core(const struct xen_core *c)
{
	struct blob file = xen_core_write(c);
	struct image *img;
	struct err *e = open_bytes(file.at, file.n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "xen-core");
	blob_fini(&file);
	return img;
}

static void refuse_file(const struct blob *file, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(file->at, file->n, &img);

	cr_assert_not_null(e, "opened, though \"%s\"", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
}

static void refuse_core(const struct xen_core *c, enum err_code code, const char *word)
{
	struct blob file = xen_core_write(c);

	refuse_file(&file, code, word);
	blob_fini(&file);
}

static bool has(struct image *img, uint64_t pa)
{
	uint8_t byte;

	return physmem_read(img->mem, pa, &byte, 1);
}

static bool is_noise(struct image *img, uint64_t frame)
{
	uint8_t got[4096], want[4096];

	noise_fill(frame * 4096, want, sizeof(want));
	return physmem_read(img->mem, frame * 4096, got, sizeof(got)) &&
	       memcmp(got, want, sizeof(got)) == 0;
}

static uint64_t reg(const struct vcpu *v, enum vcpu_reg r)
{
	cr_assert(v->has >> r & 1);
	return v->reg[r];
}

Test(xencore, frames_are_runs_and_the_filled_up_tail_is_nothing)
{
	struct xen_core c;

	xen_core_init(&c, false, 10);
	for (unsigned i = 4; i < 8; i++)
		c.frame[i] = 0xc0 + i;
	c.frame[8] = c.frame[9] = XC_NONE;
	struct image *img = open_core(&c);
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(img->runs[1].pa, 0xc4000);
	cr_assert_eq(img->runs[1].size, 0x4000);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert(is_noise(img, 0) && is_noise(img, 3) && is_noise(img, 0xc7));
	cr_assert_not(has(img, 0x4000));
	cr_assert_null(img->source.guest_frame);
	image_close(img);
}

Test(xencore, frames_of_the_host_lead_to_those_of_a_pv_guest)
{
	struct xen_core c;
	uint64_t pa;

	xen_core_init(&c, true, 7);
	c.frame[6] = 0x20; // frame 6 is not the guest's
	c.host[5] = UINT64_MAX;
	struct image *img = open_core(&c);
	cr_assert(is_noise(img, 0x20) && !has(img, 0x6000));
	for (unsigned i = 0; i < 7; i++) {
		bool found = physmem_of_table(img->mem, c.host[i] << 12 | 0x123, &pa);
		cr_assert_eq(found, i != 5);
		cr_assert(i == 5 || pa == (c.frame[i] << 12 | 0x123));
	}
	cr_assert_not(physmem_of_table(img->mem, 0x1000, &pa)); // a guest frame is none of the host
	cr_assert_not(physmem_of_table(img->mem, 0xfffff000, &pa));
	cr_assert_not(physmem_of_table(img->mem, UINT64_C(0xfffffffffffff000), &pa));
	image_close(img);
}

Test(xencore, a_list_in_disorder_is_sorted_and_the_last_of_two_wins)
{
	struct xen_core c;

	xen_core_init(&c, false, 6);
	const uint64_t frames[6] = {5, 1, 9, 1, 0, 8};
	memcpy(c.frame, frames, sizeof(frames));
	struct blob file = xen_core_write(&c);
	memset(file.at + XC_PAGES + 4096, 0x77, 4096); // the first page 1
	struct image *img;
	cr_assert_null(open_bytes(file.at, file.n, &img));
	cr_assert(is_noise(img, 0) && is_noise(img, 1) && is_noise(img, 5) && is_noise(img, 9));
	cr_assert_not(has(img, 0x2000));
	cr_assert_not_null(strstr(img->truncated_why, "1 frames are given twice"));
	image_close(img);
	blob_fini(&file);
}

Test(xencore, registers_of_a_guest_with_its_own_rings)
{
	struct xen_core c;

	xen_core_init(&c, false, 2);
	struct image *img = open_core(&c);
	cr_assert_eq(img->n_vcpus, 2);
	const struct vcpu *v = &img->vcpus[1];
	cr_assert_eq(v->cpu, 1);
	cr_assert_eq(reg(v, VCPU_RIP), 100648);
	cr_assert_eq(reg(v, VCPU_CS), 0x10);
	cr_assert_eq(reg(v, VCPU_RSP), 100672);
	cr_assert_eq(reg(v, VCPU_CR3), 105008);
	cr_assert_eq(reg(v, VCPU_CR4), 105016);
	cr_assert_eq(reg(v, VCPU_FS_BASE), 105144);
	cr_assert_eq(reg(v, VCPU_GS_BASE), 105152);
	cr_assert_eq(reg(v, VCPU_KERNEL_GS_BASE), 105160);
	image_close(img);
	c.cs = 0x33; // in user mode the other base is in use
	img = open_core(&c);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_GS_BASE), 5160);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_KERNEL_GS_BASE), 5152);
	image_close(img);
}

Test(xencore, registers_of_a_pv_guest)
{
	struct xen_core c;

	xen_core_init(&c, true, 2);
	c.cs = 0xe033; // ring 3, in the kernel as the flags have it
	struct image *img = open_core(&c);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_GS_BASE), 5152);
	image_close(img);
	c.flags = 0;
	img = open_core(&c);
	cr_assert_eq(reg(&img->vcpus[0], VCPU_GS_BASE), 5160);
	image_close(img);
}

Test(xencore, sections_without_names_are_known_by_their_shape)
{
	struct xen_core c;

	for (int pv = 0; pv < 2; pv++) {
		xen_core_init(&c, pv, 4);
		c.without_names = true;
		struct image *img = open_core(&c);
		cr_assert(is_noise(img, 3));
		cr_assert_eq(img->n_vcpus, 2);
		cr_assert_eq(img->source.guest_frame != NULL, pv);
		image_close(img);
	}
}

// Pages come before the list: without it a guest with its own addresses can be guessed at.
Test(xencore, can_be_cut_anywhere)
{
	struct xen_core c;
	struct image *img;

	xen_core_init(&c, false, 4);
	struct blob file = xen_core_write(&c);
	for (size_t n = 1; n < xen_core_names(&c); n += n % 8 == 1 || n > XC_PAGES + 4080 ? 1 : 6) {
		struct err *e = open_bytes(file.at, n, &img);
		cr_assert_eq(e == NULL, n >= XC_PAGES + 4096, "%zu: %s", n, e ? e->msg : "opened");
		if (e)
			continue;
		cr_assert(img->truncated);
		cr_assert(is_noise(img, 0));
		if (n < xen_core_list(&c) + 8) // no entry of the list: the pages that are whole
			cr_assert_eq(has(img, 0x3000), n >= xen_core_list(&c));
		else
			cr_assert_eq(has(img, 0x1000), n >= xen_core_list(&c) + 16);
		image_close(img);
	}
	blob_fini(&file);
}

Test(xencore, a_pv_guest_without_its_list_is_refused)
{
	struct xen_core c;

	xen_core_init(&c, true, 4);
	struct blob file = xen_core_write(&c);
	for (size_t cut = 0; cut < 4096 * 3; cut += 1 + cut / 3) {
		struct blob part = {file.at, xen_core_list(&c) - cut, 0};
		refuse_file(&part, ERR_FORMAT, ".xen_p2m");
	}
	blob_fini(&file);
}

// The guess leaves out what the writer leaves out.
Test(xencore, a_guessed_list_leaves_video_memory_out)
{
	struct blob file = {0};
	struct xen_core c;
	struct image *img;

	xen_core_init(&c, false, XC_MOST);
	struct blob core = xen_core_write(&c);
	blob_put(&file, 0, core.at, XC_PAGES);
	uint64_t size = 0xa2 * UINT64_C(4096), nowhere = UINT64_C(1) << 40;
	blob_put(&file, xen_core_section(5) + offsetof(Elf64_Shdr, sh_size), &size, 8);
	blob_put(&file, xen_core_section(6) + offsetof(Elf64_Shdr, sh_offset), &nowhere, 8);
	blob_put(&file, XC_NOTES + 16 + 16 + 16, &(uint64_t){0xa2}, 8); // nr_pages
	blob_put(&file, XC_PAGES + size - 1, "", 1);
	cr_assert_null(open_bytes(file.at, file.n, &img));
	cr_assert_eq(img->n_runs, 2);
	cr_assert_eq(img->runs[0].size, 0xa0000);
	cr_assert_eq(img->runs[1].pa, 0xc0000);
	cr_assert_not_null(strstr(img->truncated_why, "in order"));
	image_close(img);
	blob_fini(&file);
	blob_fini(&core);
}

Test(xencore, names_what_it_can_not_read)
{
	struct xen_core c;

	xen_core_init(&c, true, 2);
	c.context_size = 2800;
	refuse_core(&c, ERR_UNSUPPORTED, "32-bit");
	xen_core_init(&c, false, 2);
	c.page_size = 65536;
	refuse_core(&c, ERR_UNSUPPORTED, "65536");
	xen_core_init(&c, false, 2);
	c.magic = 0xf00febef;
	refuse_core(&c, ERR_UNSUPPORTED, "0xf00febef");
	xen_core_init(&c, false, 2);
	c.format = UINT64_C(0x100000000);
	refuse_core(&c, ERR_UNSUPPORTED, "format 1.0");
	xen_core_init(&c, false, 2);
	c.machine = EM_AARCH64;
	refuse_core(&c, ERR_UNSUPPORTED, "machine type 183");
	xen_core_init(&c, false, 2);
	c.frame[0] = c.frame[1] = XC_NONE;
	refuse_core(&c, ERR_FORMAT, "without a single frame");
	xen_core_init(&c, false, 0);
	refuse_core(&c, ERR_FORMAT, "no memory");
}

Test(xencore, frames_beyond_any_memory_are_left_out_and_told)
{
	struct xen_core c;

	xen_core_init(&c, true, 4);
	c.frame[1] = UINT64_C(1) << 40;
	c.frame[2] = UINT64_C(1) << 60;
	struct image *img = open_core(&c);
	cr_assert_not_null(strstr(img->truncated_why, "2 frames of the list are beyond"));
	cr_assert(is_noise(img, 3) && !has(img, 0x1000));
	image_close(img);
}

// Sizes and places that lead outside cost neither memory nor time.
Test(xencore, sizes_that_lie_are_bounded_by_the_file)
{
	static const uint64_t lies[] = {UINT64_C(1) << 32, UINT64_C(1) << 60, UINT64_MAX - 7,
					UINT64_MAX};
	static const size_t fields[] = {offsetof(Elf64_Shdr, sh_offset),
					offsetof(Elf64_Shdr, sh_size),
					offsetof(Elf64_Shdr, sh_entsize)};
	struct xen_core c;
	struct image *img;

	for (int pv = 0; pv < 2; pv++) {
		xen_core_init(&c, pv, 4);
		for (unsigned i = 0; i < 4 * 3 * XC_SECTIONS; i++) {
			struct blob file = xen_core_write(&c);
			blob_put(&file, xen_core_section(i / 12) + fields[i / 4 % 3], &lies[i % 4],
				 8);
			size_t before = mem_in_use();
			if (!open_bytes(file.at, file.n, &img)) {
				cr_assert_lt(mem_in_use(), before + (32 << 20));
				(void)has(img, physmem_end(img->mem) - 1);
				image_close(img);
			}
			blob_fini(&file);
		}
	}
}

Test(xencore, the_header_note_can_count_fewer_pages)
{
	struct xen_core c;

	xen_core_init(&c, false, 4);
	c.nr_pages = 3;
	struct image *img = open_core(&c);
	cr_assert(is_noise(img, 2) && !has(img, 0x3000));
	image_close(img);
	c.nr_pages = UINT64_C(1) << 60;
	img = open_core(&c);
	cr_assert(is_noise(img, 3));
	image_close(img);
}

Test(xencore, survives_random_damage)
{
	struct xen_core c;
	struct image *img;
	uint64_t x = 1, pa;

	for (int i = 0; i < 10000; i++) {
		xen_core_init(&c, i & 1, 4);
		struct blob file = xen_core_write(&c);
		for (int k = 0; k < 1 + i % 4; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			uint64_t at = (x >> 33) % (XC_NOTES + 128 + 128);
			if (at >= XC_NOTES + 128) // the list and the names
				at += xen_core_list(&c) - XC_NOTES - 128;
			file.at[at % file.n] = (uint8_t)(x >> 25);
		}
		if (!open_bytes(file.at, file.n, &img)) {
			(void)has(img, physmem_end(img->mem) - 1);
			(void)physmem_of_table(img->mem, 0x100001000, &pa);
			image_close(img);
		}
		blob_fini(&file);
	}
}
