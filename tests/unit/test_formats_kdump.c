// SPDX-License-Identifier: LGPL-2.1-or-later
// kdump-compressed dumps: every packing, pages left out, old versions, notes, parts.
#include "src/base/mem.h"
#include "tests/unit/dump_build.h"
#include "tests/unit/elf_build.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct image *open_blob(const struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "kdump");
	return img;
}

static struct image *open_build(const struct kdump_build *k)
{
	struct blob b = kdump_write(k, NULL);
	struct image *img = open_blob(&b);

	blob_fini(&b);
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

static void every_page(uint32_t flag, size_t block_size)
{
	struct kdump_build k = kdump_default();

	k.flag = flag;
	k.block_size = block_size;
	struct image *img = open_build(&k);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(img->n_runs, 1);
	cr_assert_eq(dump_check(img, 80 * block_size), 64 * block_size / DUMP_PAGE);
	cr_assert_eq(physmem_stats(img->mem).unreadable, 0);
	image_close(img);
}

Test(kdump, pages_as_they_are)
{
	every_page(0, 4096);
	every_page(0, 65536);
}

#ifdef HAVE_ZLIB
Test(kdump, zlib)
{
	every_page(1, 4096);
	every_page(1, 16384);
}
#endif
#ifdef HAVE_LZO
Test(kdump, lzo)
{
	every_page(2, 4096);
}
#endif
#ifdef HAVE_SNAPPY
Test(kdump, snappy)
{
	every_page(4, 4096);
}
#endif
#ifdef HAVE_ZSTD
Test(kdump, zstd)
{
	every_page(0x20, 4096);
}
#endif

// --- What was left out ---

static bool not_hole(uint64_t pfn)
{
	return pfn < 20 || pfn >= 40;
}

static bool some(uint64_t pfn)
{
	return not_hole(pfn) && pfn % 5 != 4 && pfn != 63;
}

static void left_out(uint32_t level, enum mem_state state)
{
	struct kdump_build k = kdump_default();

	k.level = level;
	k.is_ram = not_hole;
	k.is_dumped = some;
	struct image *img = open_build(&k);
	for (uint64_t pfn = 0; pfn < 70; pfn++) {
		enum mem_state want = pfn >= 64 || !not_hole(pfn) ? MEM_ABSENT
				      : some(pfn)		  ? MEM_PRESENT
								  : state;
		cr_assert_eq(physmem_state(img->mem, pfn * 4096), want, "page %llu",
			     (unsigned long long)pfn);
	}
	cr_assert_not(img->truncated);
	image_close(img);
}

Test(kdump, pages_left_out_are_absent)
{
	left_out(31, MEM_ABSENT);
	left_out(3, MEM_ABSENT);
	left_out(0, MEM_ABSENT);
}

Test(kdump, pages_left_out_are_zero_if_nothing_else_can_be_missing)
{
	left_out(1, MEM_ZERO);
}

Test(kdump, what_is_there_is_right_among_what_is_not)
{
	struct kdump_build k = kdump_default();

	k.level = 31;
	k.is_dumped = some;
	struct image *img = open_build(&k);
	cr_assert_eq(dump_check(img, 80 * 4096), 35);
	image_close(img);
}

// --- Versions ---

Test(kdump, old_versions_have_short_numbers)
{
	for (uint32_t v = 1; v <= 6; v++) {
		struct kdump_build k = kdump_default();
		k.version = v;
		struct image *img = open_build(&k);
		cr_assert_eq(dump_check(img, 80 * 4096), 64, "version %u", v);
		image_close(img);
	}
}

Test(kdump, one_bitmap_is_both)
{
	struct kdump_build k = kdump_default();

	k.one_bitmap = true;
	k.is_dumped = not_hole;
	struct image *img = open_build(&k);
	cr_assert_eq(dump_check(img, 80 * 4096), 44);
	image_close(img);
}

Test(kdump, a_machine_of_32_bits_is_refused)
{
	struct kdump_build k = kdump_default();
	struct blob b = kdump_write(&k, NULL);

	memmove(b.at + 412, b.at + 424, 40);
	memset(b.at + 428, 0, 4);
	refused(&b, ERR_UNSUPPORTED, "32-bit");
	blob_fini(&b);
}

// --- Notes ---

Test(kdump, registers_and_vmcoreinfo)
{
	struct kdump_build k = kdump_default();
	struct elf_build e;

	elf_build_init(&e);
	elf_qemu_notes(&e, 0, 440);
	elf_qemu_notes(&e, 1, 440);
	k.notes = e.notes;
	blob_append(&k.info, "OSRELEASE=6.1\n", 14);
	struct image *img = open_build(&k);
	cr_assert_eq(img->n_vcpus, 2);
	cr_assert_eq(img->vcpus[1].reg[VCPU_CR3], 1416);
	cr_assert_str_eq(img->vmcoreinfo, "OSRELEASE=6.1\n");
	cr_assert_eq(img->vmcoreinfo_size, 14);
	cr_assert_str_eq(img->why, "kdump-compressed dump");
	image_close(img);
	blob_fini(&k.info);
	elf_build_fini(&e);
}

// --- Parts ---

static struct blob part(uint64_t start, uint64_t end)
{
	struct kdump_build k = kdump_default();

	k.split = true;
	k.start = start;
	k.end = end;
	k.is_dumped = not_hole;
	return kdump_write(&k, NULL);
}

static char *file_of(struct blob b)
{
	char *path = mem_strdup("/tmp/vmiscan-test-XXXXXX");
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, b.at, b.n) == (ssize_t)b.n);
	(void)close(fd);
	blob_fini(&b);
	return path;
}

static struct err *open_parts(char **paths, size_t n, struct image **img)
{
	const char *others[4];
	struct fmt_options o = {.parts = others, .n_parts = n - 1};

	for (size_t i = 1; i < n; i++)
		others[i - 1] = paths[i];
	struct err *e = image_open(paths[0], &o, img);
	for (size_t i = 0; i < n; i++) {
		(void)unlink(paths[i]);
		mem_free(paths[i]);
	}
	return e;
}

Test(kdump, a_part_alone_has_its_pages_and_says_so)
{
	struct blob b = part(10, 50);
	struct image *img = open_blob(&b);

	cr_assert_eq(dump_check(img, 80 * 4096), 20);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "24 of its 64 pages are in other files"));
	image_close(img);
	blob_fini(&b);
}

Test(kdump, parts_in_any_order_make_the_whole)
{
	char *paths[] = {file_of(part(17, 50)), file_of(part(50, 64)), file_of(part(0, 17))};
	struct image *img;

	cr_assert_null(open_parts(paths, 3, &img));
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(dump_check(img, 80 * 4096), 44);
	image_close(img);
}

static void bad_parts(char **paths, const char *word)
{
	struct image *img;
	struct err *e = open_parts(paths, 2, &img);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_USAGE, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "%s", e->msg);
}

Test(kdump, parts_that_do_not_fit_are_refused)
{
	struct kdump_build whole = kdump_default(), other = kdump_default();
	char *twice[] = {file_of(part(0, 30)), file_of(part(0, 30))};
	char *unsplit[] = {file_of(part(0, 30)), file_of(kdump_write(&whole, NULL))};

	other.split = true;
	other.n_pfns = other.end = 80;
	other.start = 30;
	char *foreign[] = {file_of(part(0, 30)), file_of(kdump_write(&other, NULL))};
	bad_parts(twice, "twice");
	bad_parts(unsplit, "--part is for dumps that makedumpfile split");
	bad_parts(foreign, "another dump");
}
