// SPDX-License-Identifier: LGPL-2.1-or-later
// kdump-compressed dumps that are cut, damaged or lie about their sizes.
#include "src/base/mem.h"
#include "tests/unit/dump_build.h"
#include "tests/unit/elf_build.h"

#include <criterion/criterion.h>

#include <string.h>

static struct image *open_blob(const struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "kdump");
	return img;
}

static void refused(const struct blob *b, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_not_null(e, "opened, though: %s", word);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
}

static bool not_hole(uint64_t pfn)
{
	return pfn < 20 || pfn >= 40;
}

static bool some(uint64_t pfn)
{
	return not_hole(pfn) && pfn % 5 != 4 && pfn != 63;
}

// Cut anywhere, what can still be read is right, and it is said.
static void cut(const struct blob *b, size_t n, const struct kdump_places *at)
{
	struct image *img;

	if (n > b->n)
		return;
	struct err *e = open_bytes(b->at, n, &img);
	if (e) {
		cr_assert_lt(n, at->descs, "cut at %zu: %s", n, e->msg);
		return;
	}
	cr_assert_eq(img->truncated, n < at->end, "cut at %zu", n);
	size_t pages = dump_check(img, 80 * 4096);
	cr_assert(n > at->data || pages == 0, "cut at %zu", n);
	cr_assert(n < at->end || pages == 44, "cut at %zu", n);
	image_close(img);
}

Test(kdump_damage, cut_at_every_boundary)
{
	struct kdump_build k = kdump_default();
	struct kdump_places p;

	k.is_dumped = not_hole;
	struct blob b = kdump_write(&k, &p);
	size_t at[] = {8,	 428,		464,	      p.sub,   p.sub + 104,
		       p.bitmap, p.second,	p.second + 8, p.descs, p.descs + 24,
		       p.data,	 p.data + 4096, p.end};
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (size_t n = at[i] - 1; n <= at[i] + 1; n++)
			cut(&b, n, &p);
	for (size_t n = 4096; n < b.n; n += 4096)
		cut(&b, n, &p);
	blob_fini(&b);
}

Test(kdump_damage, an_incomplete_dump_says_so)
{
	struct kdump_build k = kdump_default();

	k.status = 8;
	struct blob b = kdump_write(&k, NULL);
	struct image *img = open_blob(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "incomplete"));
	image_close(img);
	blob_fini(&b);
}

static void with_desc(size_t at, const void *bytes, size_t n)
{
	struct kdump_build k = kdump_default();
	struct kdump_places p;
	struct blob b = kdump_write(&k, &p);

	memcpy(b.at + p.descs + 24 + at, bytes, n); // of page 1, which is half empty
	struct image *img = open_blob(&b);
	cr_assert_eq(dump_check(img, 80 * 4096), 63);
	cr_assert_eq(physmem_state(img->mem, 4096), MEM_ABSENT);
	cr_assert_eq(physmem_stats(img->mem).unreadable, 1);
	image_close(img);
	blob_fini(&b);
}

Test(kdump_damage, a_page_whose_descriptor_is_damaged_is_absent)
{
	with_desc(0, "\0\0\0\0\0\0\0\x10", 8); // offset 2^60
	with_desc(0, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	with_desc(8, "\xff\xff\xff\xff", 4); // size 2^32 - 1
	with_desc(8, "\0\0\0\0", 4);
	with_desc(8, "\x10\0\0\0", 4); // cut
	with_desc(12, "\0\0\0\0", 4);  // not packed, but not a page's size
	with_desc(12, "\3\0\0\0", 4);  // two packings
	with_desc(12, "\2\0\0\0", 4);  // another one
}

static void exhausted(size_t asked)
{
	cr_assert_fail("%zu bytes were asked for", asked);
}

static void with_number(size_t at, uint64_t v, size_t n, enum err_code code, const char *word)
{
	struct kdump_build k = kdump_default();
	struct blob b = kdump_write(&k, NULL);

	memcpy(b.at + at, &v, n);
	refused(&b, code, word);
	blob_fini(&b);
}

Test(kdump_damage, numbers_that_cannot_be_are_refused_before_memory_is_asked_for)
{
	mem_on_exhausted(exhausted);
	mem_set_limit(64 << 20);
	with_number(428, 0, 4, ERR_FORMAT, "blocks of 0 bytes");
	with_number(428, 5000, 4, ERR_FORMAT, "blocks of 5000 bytes");
	with_number(428, 0x80000000, 4, ERR_FORMAT, "blocks of 2147483648 bytes");
	with_number(432, 0, 4, ERR_FORMAT, "second header of 0 blocks");
	with_number(432, 0xffffffff, 4, ERR_FORMAT, "second header of 4294967295 blocks");
	with_number(436, 0, 4, ERR_FORMAT, "bitmap of 0 bytes is too small");
	with_number(4096 + 96, 0, 8, ERR_FORMAT, "0 pages");
	with_number(4096 + 96, UINT64_C(1) << 32, 8, ERR_FORMAT, "too small");
	with_number(4096 + 96, UINT64_C(1) << 60, 8, ERR_FORMAT, "1152921504606846976 pages");
	with_number(4096 + 96, UINT64_MAX, 8, ERR_FORMAT, "pages, which can't be");
}

// A bitmap, notes and VMCOREINFO of any size: what the file has of them counts.
static void opens_with(size_t at, uint64_t v, size_t n)
{
	struct kdump_build k = kdump_default();
	struct blob b = kdump_write(&k, NULL);
	struct image *img;

	memcpy(b.at + at, &v, n);
	struct err *e = open_bytes(b.at, b.n, &img);
	if (!e) {
		(void)dump_check(img, 0);
		image_close(img);
	}
	blob_fini(&b);
}

Test(kdump_damage, large_numbers_do_no_harm)
{
	mem_on_exhausted(exhausted);
	mem_set_limit(64 << 20);
	for (size_t at = 4096 + 32; at <= 4096 + 88; at += 8) {
		opens_with(at, UINT64_C(1) << 32, 8);
		opens_with(at, UINT64_C(1) << 60, 8);
		opens_with(at, UINT64_MAX, 8);
	}
	opens_with(436, 0xffffffff, 4);
	opens_with(436, 0x7fffffff, 4);
}

Test(kdump_damage, changed_bytes_do_no_harm)
{
	struct kdump_build k = kdump_default();
	struct kdump_places p;
	struct elf_build e;
	uint64_t x = 1;

	elf_build_init(&e);
	elf_qemu_notes(&e, 0, 440);
	k.notes = e.notes;
	k.is_dumped = some;
	struct blob b = kdump_write(&k, &p);
	mem_on_exhausted(exhausted);
	mem_set_limit(256 << 20);
	for (int i = 0; i < 3000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)((x >> 33) % p.data);
		if (at >= 464 && at < p.sub)
			at %= 464;
		uint8_t was = b.at[at];
		struct image *img;
		b.at[at] ^= (uint8_t)(1 << (x >> 29) % 8);
		if (!open_bytes(b.at, b.n, &img)) {
			uint8_t buf[64];
			for (uint64_t pfn = 0; pfn < 64; pfn += 3)
				(void)physmem_read(img->mem, pfn * 4096, buf, sizeof(buf));
			image_close(img);
		}
		b.at[at] = was;
	}
	blob_fini(&b);
	elf_build_fini(&e);
}
