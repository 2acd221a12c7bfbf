// SPDX-License-Identifier: LGPL-2.1-or-later
// Saved domains of Xen, whole and hostile.
#include "tests/unit/xen_build.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

enum { PV = 1, HVM = 2 };
#define TYPE(t, frame) ((uint64_t)(t) << 60 | (frame))

static struct image *open_save(struct blob *file)
{
	struct image *img;
	struct err *e = open_bytes(file->at, file->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "xen-save");
	blob_fini(file);
	return img;
}

static void refuse(struct blob *file, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(file->at, file->n, &img);

	cr_assert_not_null(e, "opened, though \"%s\"", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
	blob_fini(file);
}

static bool has(struct image *img, uint64_t pa)
{
	uint8_t byte;

	return physmem_read(img->mem, pa, &byte, 1);
}

static bool is_noise(struct image *img, uint64_t entry, uint64_t seed)
{
	uint8_t got[4096], want[4096];

	noise_fill((entry << 12) + seed, want, sizeof(want));
	return physmem_read(img->mem, (entry << 12) & ((UINT64_C(1) << 52) - 1), got,
			    sizeof(got)) &&
	       memcmp(got, want, sizeof(got)) == 0;
}

Test(xensave, each_layer_opens_alone)
{
	static const uint64_t entries[] = {0, 1, 5};

	for (int wrap = XEN_XL; wrap <= XEN_LIBXC; wrap++)
		for (uint32_t version = 2; version <= 3; version++) {
			struct blob b = xen_save_begin((enum xen_wrap)wrap, HVM, version);
			xen_save_pages(&b, entries, 3, 0);
			xen_save_end(&b);
			struct image *img = open_save(&b);
			cr_assert_not(img->truncated, "%s", img->truncated_why);
			cr_assert(is_noise(img, 1, 0) && is_noise(img, 5, 0));
			cr_assert_not(has(img, 0x2000));
			image_close(img);
		}
}

Test(xensave, what_comes_later_wins_and_a_page_can_go)
{
	static const uint64_t first[] = {0, 1, 2, 3, 4}, second[] = {3, TYPE(0xf, 1), 0},
			      third[] = {TYPE(0xe, 4), 9, TYPE(0xd, 9), 2, 2};
	struct blob b = xen_save_begin(XEN_XL, HVM, 3);

	xen_save_pages(&b, first, 5, 0);
	xen_save_pages(&b, second, 3, 7);
	xen_save_pages(&b, third, 5, 13);
	xen_save_end(&b);
	struct image *img = open_save(&b);
	cr_assert(is_noise(img, 0, 7));
	cr_assert_not(has(img, 0x1000));
	cr_assert(is_noise(img, 2, 13));
	cr_assert(is_noise(img, 3, 7));
	cr_assert_not(has(img, 0x4000));
	cr_assert_not(has(img, 0x9000));
	cr_assert_not(img->truncated); // normal for a live save
	image_close(img);
}

Test(xensave, page_tables_of_a_pv_guest_have_its_own_frames)
{
	static const uint64_t entries[] = {TYPE(1, 0), TYPE(0xc, 1), TYPE(2, 2), 3};
	uint8_t cpu[8 + 5168] = {1}, info[8] = {8, 4};
	struct blob b = xen_save_begin(XEN_XL, PV, 3);

	xen_context(cpu + 8, 1, 4, 0xe033);
	xen_save_record(&b, 2, info, sizeof(info));
	xen_save_pages(&b, entries, 4, 0);
	xen_save_record(&b, 4, cpu, sizeof(cpu));
	xen_save_record(&b, 4, cpu, sizeof(cpu)); // again, as after a checkpoint
	xen_save_end(&b);
	struct image *img = open_save(&b);
	cr_assert(is_noise(img, entries[1], 0));
	cr_assert_null(img->source.guest_frame);
	cr_assert_eq(img->n_vcpus, 1);
	cr_assert_eq(img->vcpus[0].cpu, 1);
	cr_assert_eq(img->vcpus[0].reg[VCPU_CR3], 105008);
	cr_assert_eq(img->vcpus[0].reg[VCPU_GS_BASE], 105152);
	image_close(img);
}

static void put_hvm_cpu(struct blob *context, uint16_t instance, uint32_t n)
{
	struct {
		uint16_t type, instance;
		uint32_t n;
	} head = {2, instance, n};
	uint64_t rec[256];

	for (size_t i = 0; i < 256; i++)
		rec[i] = instance * 10000U + i * 8;
	blob_append(context, &head, sizeof(head));
	blob_append(context, rec, n);
}

Test(xensave, registers_out_of_the_hvm_context)
{
	static const uint64_t entries[] = {0};
	static const uint8_t header[8 + 24] = {1, 0, 0, 0, 24};
	struct blob b = xen_save_begin(XEN_LIBXL, HVM, 3), context = {0};

	blob_append(&context, header, sizeof(header));
	put_hvm_cpu(&context, 0, 1032);
	put_hvm_cpu(&context, 1, 944); // an older one that ends before the MSRs
	put_hvm_cpu(&context, 9000, 1032);
	xen_save_pages(&b, entries, 1, 0);
	xen_save_record(&b, 9, context.at, context.n);
	xen_save_end(&b);
	blob_fini(&context);
	struct image *img = open_save(&b);
	cr_assert_eq(img->n_vcpus, 2);
	const struct vcpu *v = img->vcpus;
	cr_assert_eq(v->reg[VCPU_RSP], 568);
	cr_assert_eq(v->reg[VCPU_RIP], 640);
	cr_assert_eq(v->reg[VCPU_CR3], 672);
	cr_assert_eq(v->reg[VCPU_GS_BASE], 840);
	cr_assert_eq(v->reg[VCPU_IDT_BASE], 872);
	cr_assert_eq(v->reg[VCPU_KERNEL_GS_BASE], 944);
	cr_assert_eq(v->reg[VCPU_LSTAR], 960);
	cr_assert_eq(v->reg[VCPU_EFER], 992);
	cr_assert_eq(v[1].reg[VCPU_CR3], 10672);
	cr_assert_not(v[1].has >> VCPU_KERNEL_GS_BASE & 1);
	cr_assert_not_null(strstr(img->truncated_why, "1 records")); // CPU 9000
	image_close(img);
}

Test(xensave, names_what_it_can_not_read)
{
	static const uint64_t entries[] = {0};
	uint8_t info[8] = {4, 3};
	struct blob b = xen_save_begin(XEN_XL, 3, 3);

	refuse(&b, ERR_UNSUPPORTED, "type 3");
	b = xen_save_begin(XEN_XL, HVM, 4);
	refuse(&b, ERR_UNSUPPORTED, "version 4");
	b = xen_save_begin(XEN_LIBXL, HVM, 3);
	b.at[11] = 1;
	refuse(&b, ERR_UNSUPPORTED, "libxl stream version 1");
	b = xen_save_begin(XEN_LIBXC, HVM, 3);
	b.at[17] = 1;
	refuse(&b, ERR_UNSUPPORTED, "big-endian");
	b = xen_save_begin(XEN_LIBXC, HVM, 3);
	b.at[28] = 16;
	refuse(&b, ERR_UNSUPPORTED, "2^16");
	b = xen_save_begin(XEN_XL, HVM, 3);
	memset(memmem(b.at, b.n, "LibxlFmt", 8), 0, 8); // as old streams begin: p2m_size
	refuse(&b, ERR_UNSUPPORTED, "legacy");
	b = xen_save_begin(XEN_XL, PV, 3);
	xen_save_record(&b, 2, info, sizeof(info));
	xen_save_pages(&b, entries, 1, 0);
	refuse(&b, ERR_UNSUPPORTED, "32-bit");
	b = xen_save_begin(XEN_XL, HVM, 3);
	xen_save_end(&b);
	refuse(&b, ERR_FORMAT, "without a page");
}

Test(xensave, can_be_cut_anywhere)
{
	static const uint64_t first[] = {0, 1}, second[] = {1};
	struct image *img;
	struct blob b = xen_save_begin(XEN_XL, HVM, 3);
	size_t pages = b.n + 8 + 8 + 16;

	xen_save_pages(&b, first, 2, 0);
	size_t again = b.n + 8 + 8 + 8;
	xen_save_pages(&b, second, 1, 7);
	size_t end = b.n + 8;
	xen_save_end(&b);
	for (size_t n = 32; n <= b.n;
	     n += n > pages + 16 && n % 512 > 16 && n % 512 < 500 ? 11 : 1) {
		struct err *e = open_bytes(b.at, n, &img);
		cr_assert_eq(e == NULL, n >= pages + 4096, "%zu: %s", n, e ? e->msg : "opened");
		if (e)
			continue;
		cr_assert_eq(img->truncated, n < end, "%zu", n);
		cr_assert(is_noise(img, 0, 0));
		cr_assert_eq(has(img, 0x1000), n >= pages + 8192);
		cr_assert_eq(is_noise(img, 1, 7), n >= again + 4096);
		image_close(img);
	}
	blob_fini(&b);
}

// Counts that do not fit their records, and lengths that do not fit the file.
Test(xensave, counts_that_lie_are_bounded)
{
	static const uint64_t entries[] = {0, 1, TYPE(0xf, UINT64_C(1) << 51)};
	static const uint32_t lies[] = {4, 0x1000, 0x7fffffff, UINT32_MAX};

	for (size_t i = 0; i < 8; i++) {
		struct blob b = xen_save_begin(XEN_LIBXC, HVM, 3);
		xen_save_pages(&b, entries, 3, 0);
		size_t odd = b.n;
		xen_save_pages(&b, entries, 3, 0);
		memcpy(b.at + odd + (i & 1 ? 4 : 8), &lies[i / 2], 4);
		xen_save_end(&b);
		size_t before = mem_in_use();
		struct image *img = open_save(&b);
		cr_assert_lt(mem_in_use(), before + (32 << 20));
		cr_assert(img->truncated);
		cr_assert(has(img, 0) && has(img, 0x1000));
		image_close(img);
	}
}

Test(xensave, survives_random_damage)
{
	static const uint64_t entries[] = {0, 1, 2}, more[] = {2, TYPE(0xf, 0)};
	struct blob b = xen_save_begin(XEN_XL, HVM, 3), context = {0}, copy = {0};
	struct image *img;
	uint64_t x = 1;

	size_t begun = b.n;
	put_hvm_cpu(&context, 0, 1032);
	xen_save_pages(&b, entries, 3, 0);
	size_t second = b.n;
	xen_save_pages(&b, more, 2, 0);
	size_t last = b.n;
	xen_save_record(&b, 9, context.at, context.n);
	xen_save_end(&b);
	const size_t at[] = {0, begun, second, last}, n[] = {begun, 40, 32, 24};
	for (int i = 0; i < 10000; i++) {
		copy.n = 0;
		blob_put(&copy, 0, b.at, b.n);
		for (int k = 0; k < 1 + i % 4; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			size_t part = x >> 60 & 3;
			copy.at[at[part] + (x >> 33) % n[part]] = (uint8_t)(x >> 25);
		}
		if (open_bytes(copy.at, copy.n, &img))
			continue;
		(void)has(img, physmem_end(img->mem) - 1);
		image_close(img);
	}
	blob_fini(&copy);
	blob_fini(&context);
	blob_fini(&b);
}
