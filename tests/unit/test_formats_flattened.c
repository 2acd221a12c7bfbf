// SPDX-License-Identifier: LGPL-2.1-or-later
// Flattened dumps: pieces in any order and over each other, against a model; cuts; hostile numbers.
#include "formats/overlay.h"
#include "src/base/mem.h"
#include "tests/unit/dump_build.h"
#include "tests/unit/elf_build.h"

#include <criterion/criterion.h>

#include <string.h>

static uint64_t state = 1;

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % n;
}

// --- The overlay ---

enum { MODEL = 2000 };

static void check_overlay(struct overlay *o, const uint64_t *model)
{
	uint64_t from, left;

	for (uint64_t at = 0; at < MODEL; at++) {
		bool here = overlay_find(o, at, &from, &left);
		cr_assert_eq(here, model[at] != 0, "at %llu", (unsigned long long)at);
		cr_assert(!here || from == model[at], "at %llu", (unsigned long long)at);
		for (uint64_t i = 0; i < left && at + i < MODEL; i++)
			cr_assert_eq(model[at + i], here ? from + i : 0);
	}
	// and from the back, where the last search is of no use
	for (uint64_t at = MODEL; at-- > 0;)
		cr_assert_eq(overlay_find(o, at, &from, &left), model[at] != 0);
}

Test(overlay, later_pieces_are_on_top)
{
	for (uint32_t round = 0; round < 300; round++) {
		static uint64_t model[MODEL];
		struct overlay o = {0};
		memset(model, 0, sizeof(model));
		for (uint32_t i = 0, n = random_below(60); i < n; i++) {
			uint64_t at = random_below(MODEL - 200), size = random_below(200);
			uint64_t from = 1 + (uint64_t)random_below(1 << 30) * 1000;
			overlay_add(&o, at, size, from);
			for (uint64_t k = 0; k < size; k++)
				model[at + k] = from + k;
		}
		overlay_settle(&o);
		check_overlay(&o, model);
		overlay_fini(&o);
	}
}

Test(overlay, neighbours_become_one)
{
	struct overlay o = {0};

	overlay_add(&o, 100, 50, 1100);
	overlay_add(&o, 50, 50, 1050);
	overlay_add(&o, 0, 50, 0);
	overlay_settle(&o);
	cr_assert_eq(o.pieces.n, 2);
	overlay_fini(&o);
}

// --- Dumps ---

static struct image *open_blob(const struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
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

// A dump in pieces: wrong ones first, then the right ones from the back.
static struct blob in_pieces(const struct blob *dump, size_t size)
{
	struct blob b = {0};
	static uint8_t wrong[3000];

	memset(wrong, 0xee, sizeof(wrong));
	flat_begin(&b);
	for (size_t off = 0; off < dump->n; off += 7 * size)
		flat_piece(&b, off, wrong, dump->n - off < 3000 ? dump->n - off : 3000);
	for (size_t i = dump->n / size + 1; i-- > 0;) {
		size_t n = dump->n - i * size < size ? dump->n - i * size : size;
		flat_piece(&b, i * size, dump->at + i * size, n);
	}
	flat_end(&b);
	return b;
}

Test(flattened, kdump_in_any_order)
{
	struct kdump_build k = kdump_default();
	struct blob dump = kdump_write(&k, NULL), b = in_pieces(&dump, 1000);
	struct image *img = open_blob(&b);

	cr_assert_str_eq(img->fmt->name, "kdump");
	cr_assert_str_eq(img->compression, "flattened");
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(dump_check(img, 80 * 4096), 64);
	image_close(img);
	blob_fini(&dump);
	blob_fini(&b);
}

Test(flattened, elf)
{
	struct elf_build e;
	uint8_t got[100], want[100];

	elf_build_init(&e);
	elf_load(&e, 0x10000, 0x8000);
	struct blob dump = elf_write(&e), b = in_pieces(&dump, 4096);
	struct image *img = open_blob(&b);
	cr_assert_str_eq(img->fmt->name, "elf");
	cr_assert(physmem_read(img->mem, 0x12345, got, 100));
	noise_fill(0x12345, want, 100);
	cr_assert_arr_eq(got, want, 100);
	image_close(img);
	blob_fini(&dump);
	blob_fini(&b);
	elf_build_fini(&e);
}

// An ELF core of three pages, which are its end.
static struct blob small_dump(void)
{
	struct elf_build e;

	elf_build_init(&e);
	elf_load(&e, 0, 0x3000);
	struct blob dump = elf_write(&e);
	elf_build_fini(&e);
	return dump;
}

Test(flattened, what_no_piece_has_is_zeros)
{
	struct blob b = {0};
	uint8_t got[8];

	struct blob dump = small_dump();
	size_t pages = dump.n - 0x3000; // where memory begins

	flat_begin(&b);
	flat_piece(&b, pages + 0x2000, "behind", 6);
	flat_piece(&b, 0, dump.at, pages + 5);
	flat_piece(&b, pages + 2, "", 0);
	flat_piece(&b, dump.n - 1, "x", 1);
	flat_end(&b);
	struct image *img = open_blob(&b);
	cr_assert_eq(img->io->size, dump.n);
	cr_assert(physmem_read(img->mem, 0x1ffe, got, 8));
	cr_assert_arr_eq(got, "\0\0behind", 8);
	cr_assert(physmem_read(img->mem, 3, got, 4));
	cr_assert_arr_eq(got, dump.at + pages + 3, 2);
	cr_assert_arr_eq(got + 2, "\0\0", 2);
	image_close(img);
	blob_fini(&dump);
	blob_fini(&b);
}

Test(flattened, twice_is_refused)
{
	struct blob inner = {0}, b = {0};

	flat_begin(&inner);
	flat_end(&inner);
	flat_begin(&b);
	flat_piece(&b, 0, inner.at, inner.n);
	flat_end(&b);
	refused(&b, ERR_UNSUPPORTED, "flattened twice");
	blob_fini(&inner);
	blob_fini(&b);
}

Test(flattened, other_versions_are_refused)
{
	struct blob b = {0};

	flat_begin(&b);
	flat_piece(&b, 0, "x", 1);
	b.at[31] = 2;
	refused(&b, ERR_UNSUPPORTED, "version 2");
	blob_fini(&b);
}

// --- Damage ---

Test(flattened, cut_at_every_boundary)
{
	struct kdump_build k = kdump_default();
	struct kdump_places p;
	struct blob dump = kdump_write(&k, &p), b = {0};
	size_t ends[64], n = 0;

	flat_begin(&b);
	for (size_t off = 0; off < dump.n; off += 8192) {
		ends[n++] = b.n;
		flat_piece(&b, off, dump.at + off, dump.n - off < 8192 ? dump.n - off : 8192);
	}
	ends[n++] = b.n;
	flat_end(&b);
	ends[n++] = b.n;
	for (size_t i = 0; i < n; i++)
		for (size_t size = ends[i] - 1; size <= ends[i] + 1 && size <= b.n; size++) {
			struct image *img;
			struct err *e = open_bytes(b.at, size, &img);
			if (e)
				continue;
			cr_assert_eq(img->truncated, size < b.n, "cut at %zu", size);
			(void)dump_check(img, 80 * 4096);
			image_close(img);
		}
	blob_fini(&dump);
	blob_fini(&b);
}

Test(flattened, a_cut_header_is_refused)
{
	struct blob b = {0};

	flat_begin(&b);
	refused(&b, ERR_FORMAT, "cut inside its header");
	b.n = 20;
	refused(&b, ERR_FORMAT, "cut inside its header");
	b.n = 4096;
	flat_end(&b);
	refused(&b, ERR_FORMAT, "without anything in it");
	blob_fini(&b);
}

static void damaged_by(uint64_t off, uint64_t size)
{
	struct blob b = {0}, dump = small_dump();

	flat_begin(&b);
	flat_piece(&b, 0, dump.at, dump.n);
	flat_header(&b, off, size);
	flat_piece(&b, 0, dump.at, dump.n);
	struct image *img = open_blob(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "flattened"), "%s", img->truncated_why);
	image_close(img);
	blob_fini(&dump);
	blob_fini(&b);
}

Test(flattened, pieces_that_cannot_be_end_it)
{
	damaged_by(UINT64_C(1) << 63, 16);
	damaged_by(0, UINT64_C(1) << 63);
	damaged_by(INT64_MAX, 16);
	damaged_by(0x2000, INT64_MAX);
	damaged_by(UINT64_MAX, 4);
	damaged_by(4096, UINT64_C(1) << 60);
	damaged_by(4096, UINT64_C(1) << 32);
	damaged_by(UINT64_C(1) << 50, 1); // zeros up to there would be searched for a kernel
}

// A piece of a wrong size leads to nonsense, which may end far away and without a head.
Test(flattened, a_dump_without_its_head_is_not_raw_memory)
{
	struct blob b = {0};
	static const uint8_t page[4096] = {0, 1, 2};

	flat_begin(&b);
	flat_piece(&b, 4096, page, sizeof(page));
	flat_end(&b);
	refused(&b, ERR_FORMAT, "without the head of a dump");
	blob_fini(&b);
}

Test(flattened, changed_bytes_do_no_harm)
{
	struct kdump_build k = kdump_default();
	struct blob dump = kdump_write(&k, NULL), b = in_pieces(&dump, 4000);

	for (int i = 0; i < 1000; i++) {
		size_t at = random_below((uint32_t)b.n);
		uint8_t was = b.at[at];
		struct image *img;
		b.at[at] = (uint8_t)random_below(256);
		if (!open_bytes(b.at, b.n, &img))
			image_close(img);
		b.at[at] = was;
	}
	blob_fini(&dump);
	blob_fini(&b);
}
