// SPDX-License-Identifier: LGPL-2.1-or-later
// What a file is taken for: raw memory, a named container that is refused, or no memory at all.
#include "tests/unit/mem_io.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 1 << 17 };

// A file of noise with some bytes written over it.
static struct err *open_with(size_t off, const void *magic, size_t n, struct image **img)
{
	static uint8_t file[SIZE];

	noise_fill(0, file, SIZE);
	memcpy(file + off, magic, n);
	return open_bytes(file, SIZE, img);
}

#define REFUSED(off, magic, word) refused(off, magic, sizeof(magic) - 1, word)

static void refused(size_t off, const void *magic, size_t n, const char *word)
{
	struct image *img;
	struct err *e = open_with(off, magic, n, &img);

	cr_assert_not_null(e, "opened as %s, though it is %s", img ? img->fmt->name : "", word);
	cr_assert_eq(e->code, ERR_UNSUPPORTED, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
	cr_assert_not_null(strstr(e->msg, "recognised, not supported"), "%s", e->msg);
	cr_assert_eq(strncmp(e->msg, "/proc/self/fd/", 14), 0, "no path in: %s", e->msg);
}

Test(known, qemu_and_dumps)
{
	REFUSED(0, "\x11\x22\x33\x44\0\0\0\1", "multifd");
	REFUSED(0, "DISKDUMP", "diskdump");
}

Test(known, xen)
{
	REFUSED(0, "LinuxGuestRecord", "xm");
	REFUSED(0, "\xed\xeb\x0f\xf0", "Xen 3.0");
	REFUSED(0, "\xee\xeb\x0f\xf0", "Xen 3.0");
}

Test(known, others)
{
	REFUSED(0, "\x14\x20\x28\x01", "Hyper-V");
	REFUSED(0x1000, "\x14\x20\x28\x01", "Hyper-V");
	REFUSED(0, "\0\0\x64\x86\x84\x19\x10\x07", "Firecracker");
	REFUSED(0, "PAGEDUMP", "Windows");
	REFUSED(0, "PAGEDU64", "Windows");
}

Test(known, packed)
{
	REFUSED(0, "\x04\x22\x4d\x18", "lz4");
	REFUSED(0, "PK\3\4", "zip");
	REFUSED(0, "7z\xbc\xaf\x27\x1c", "7z");
	REFUSED(257, "ustar\0", "tar");
}

Test(known, mistaken_for_memory)
{
	REFUSED(0, "KDMV", "VMware disk");
	REFUSED(0, "vhdxfile", "Hyper-V disk");
	REFUSED(64, "\x7f\x10\xda\xbe", "VirtualBox disk");
	REFUSED(0, "SQLite format 3\0", "SQLite");
}

// --- Raw ---

Test(raw, offset_is_physical_address)
{
	struct image *img;
	uint8_t buf[16], want[16];

	cr_assert_null(open_with(0, "", 0, &img));
	cr_assert_str_eq(img->fmt->name, "raw");
	cr_assert_null(img->compression);
	cr_assert_eq(img->n_vcpus, 0);
	cr_assert_not(img->truncated);
	cr_assert_not(image_hole_unknown(img));
	noise_fill(0x1ff8, want, 16);
	cr_assert(physmem_read(img->mem, 0x1ff8, buf, 16));
	cr_assert_arr_eq(buf, want, 16);
	cr_assert_eq(physmem_end(img->mem), SIZE);
	image_close(img);
}

Test(raw, a_part_of_a_page_at_the_end_is_a_cut)
{
	static uint8_t file[0x2345];
	struct image *img;

	cr_assert_null(open_bytes(file, sizeof(file), &img));
	cr_assert(img->truncated);
	cr_assert(physmem_read(img->mem, 0x2340, file, 5));
	cr_assert_not(physmem_read(img->mem, 0x2340, file, 6));
	image_close(img);
}

static void no_memory(const void *bytes, size_t n, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(bytes, n, &img);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_FORMAT, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "%s", e->msg);
}

Test(raw, is_not_for_text)
{
	static char text[SIZE];

	memset(text, 'x', SIZE);
	for (size_t i = 79; i < SIZE; i += 80)
		text[i] = '\n';
	no_memory(text, 8192, "text");
	no_memory(text, SIZE, "text");
	memcpy(text + (64 << 10) - 1, "\xc3\xa9",
	       2); // a character over the end of what is looked at
	no_memory(text, SIZE, "text");
	text[500] = '\0';
	struct image *img;
	cr_assert_null(open_bytes(text, SIZE, &img));
	image_close(img);
}

Test(raw, is_not_for_tiny_files)
{
	static uint8_t file[4095];

	no_memory(file, 4095, "less than a page");
	no_memory("", 0, "empty");
}

Test(raw, can_be_forced)
{
	struct fmt_options raw = {.format = "raw"}, unknown = {.format = "vhs"};
	const char *path = mem_path("KDUMP   and so on", 17);
	struct image *img;
	uint8_t buf[8];

	cr_assert_null(image_open(path, &raw, &img));
	cr_assert_str_eq(img->why, "--format");
	cr_assert(physmem_read(img->mem, 0, buf, 8) && memcmp(buf, "KDUMP   ", 8) == 0);
	image_close(img);
	struct err *e = image_open(path, &unknown, &img);
	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_USAGE);
	cr_assert_not_null(strstr(e->msg, "vhs"));
}

Test(raw, is_last_in_the_registry)
{
	size_t n = 0;

	while (fmt_registry[n])
		cr_assert_not_null(fmt_registry[n++]->doc);
	cr_assert_str_eq(fmt_registry[n - 1]->name, "raw");
}

// --- The PCI hole ---

static const uint64_t GIB = UINT64_C(1) << 30;

// A sparse file with its own offset every 128 MiB.
static struct image *open_sparse(uint64_t size)
{
	char path[] = "/tmp/vmiscan-test-XXXXXX";
	int fd = mkstemp(path);
	struct image *img;

	cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
	for (uint64_t off = 0; off < size; off += GIB / 8)
		cr_assert_eq(pwrite(fd, &off, 8, (off_t)off), 8);
	(void)close(fd);
	struct err *e = image_open(path, NULL, &img);
	(void)unlink(path);
	cr_assert_null(e, "%s", e ? e->msg : "");
	return img;
}

static void expect(struct image *img, uint64_t pa, uint64_t want)
{
	uint64_t v = 1;

	cr_assert(physmem_read(img->mem, pa, &v, 8), "nothing at 0x%llx", (unsigned long long)pa);
	cr_assert_eq(v, want);
}

Test(hole, is_unknown_beyond_1_gib)
{
	struct image *img = open_sparse(GIB);

	cr_assert_not(image_hole_unknown(img));
	cr_assert_not_null(image_set_hole(img, (struct hole){0xc0000000, 4 * GIB}, "no"));
	image_close(img);
	img = open_sparse(GIB + 4096);
	cr_assert(image_hole_unknown(img));
	image_close(img);
}

Test(hole, moves_what_is_above_it_to_4_gib)
{
	struct image *img = open_sparse(5 * GIB);
	struct physmem *mem = img->mem;

	expect(img, 4 * GIB, 4 * GIB);
	cr_assert_null(image_set_hole(img, (struct hole){3 * GIB, 4 * GIB}, "e820 ends at 3 GiB"));
	cr_assert_eq(img->mem, mem);
	cr_assert_str_eq(img->layout_note, "e820 ends at 3 GiB");
	cr_assert_eq(img->n_runs, 2);
	expect(img, 3 * GIB - GIB / 4, 3 * GIB - GIB / 4);
	expect(img, 4 * GIB, 3 * GIB);
	expect(img, 5 * GIB, 4 * GIB);
	cr_assert_eq(physmem_state(img->mem, 3 * GIB), MEM_ABSENT);
	cr_assert_eq(physmem_end(img->mem), 6 * GIB);
	cr_assert_eq(physmem_stats(img->mem).pages_touched, 3);
	cr_assert_null(image_set_hole(img, (struct hole){0, 4 * GIB}, NULL));
	cr_assert_null(img->layout_note);
	expect(img, 3 * GIB, 3 * GIB);
	image_close(img);
}

Test(hole, every_candidate_can_be_tried)
{
	struct image *img = open_sparse(4 * GIB);
	bool none = false, far = false;
	struct hole h;

	for (size_t i = 0; image_hole_candidate(img, i, &h); i++) {
		cr_assert_null(image_set_hole(img, h, "try"));
		expect(img, h.low_end ? h.high_start : 3 * GIB, h.low_end ? h.low_end : 3 * GIB);
		none |= h.low_end == 0;
		far |= h.high_start == 1024 * GIB; // AMD
	}
	cr_assert(none && far);
	cr_assert_not_null(image_set_hole(img, (struct hole){0xc0000800, 4 * GIB}, "unaligned"));
	cr_assert_not_null(image_set_hole(img, (struct hole){5 * GIB, 4 * GIB}, "too high"));
	image_close(img);
}

// Of arm64: all of it in one piece, that begins elsewhere.
Test(base, moves_all_of_memory)
{
	struct image *img = open_sparse(2 * GIB);

	for (size_t i = 0; i < image_base_n_candidates; i++) {
		uint64_t base = image_base_candidates[i];
		cr_assert_null(image_set_base(img, base, "the page tables fit"));
		expect(img, base, 0);
		expect(img, base + GIB, GIB);
		cr_assert_eq(physmem_end(img->mem), base + 2 * GIB);
		cr_assert_eq(physmem_state(img->mem, base - 4096), MEM_ABSENT);
		cr_assert_str_eq(img->layout_note, "the page tables fit");
	}
	cr_assert_null(image_set_base(img, 0, NULL));
	expect(img, GIB, GIB);
	cr_assert_null(img->layout_note);
	cr_assert_not_null(image_set_base(img, 0x800, "unaligned"));
	cr_assert_not_null(image_set_base(img, ~0ULL << 12, "too high"));
	image_close(img);
}
