// SPDX-License-Identifier: LGPL-2.1-or-later
// LiME and AVML dumps: ranges, snappy frames, blocks left out, damage, hostile numbers.
#include "formats/crc32c.h"
#include "src/base/mem.h"
#include "tests/unit/dump_build.h"

#include <criterion/criterion.h>

#include <string.h>

static const uint64_t MIB = 1 << 20;

static struct image *open_blob(const struct blob *b, const char *format)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, format);
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

static void same_bytes(struct image *img, uint64_t pa, size_t n)
{
	uint8_t *got = mem_alloc(2 * n);

	cr_assert(physmem_read(img->mem, pa, got, n), "nothing at 0x%llx", (unsigned long long)pa);
	dump_fill(pa, got + n, n);
	cr_assert_eq(memcmp(got, got + n, n), 0, "wrong at 0x%llx", (unsigned long long)pa);
	mem_free(got);
}

Test(crc32c, known_answers)
{
	cr_assert_eq(crc32c("123456789", 9), 0xe3069283); // RFC 3720, B.4 has the next
	cr_assert_eq(crc32c("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32),
		     0x8a9136aa);
	cr_assert_eq(crc32c("", 0), 0);
}

// --- LiME ---

Test(lime, ranges_have_their_last_byte)
{
	struct blob b = {0};
	uint8_t c;

	lime_block(&b, 0x1000, 0x9ec00); // ends inside a page, as the first range of a PC
	lime_block(&b, 0x100000, 0x50000);
	struct image *img = open_blob(&b, "lime");
	cr_assert_eq(img->n_runs, 2);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	same_bytes(img, 0x1000, 0x9ec00);
	same_bytes(img, 0x100000, 0x50000);
	cr_assert_not(physmem_read(img->mem, 0x9fc00, &c, 1));
	cr_assert_not(physmem_read(img->mem, 0xfff, &c, 1));
	image_close(img);
	blob_fini(&b);
}

Test(lime, the_later_of_two_ranges_counts)
{
	struct blob b = {0};

	lime_header(&b, "EMiL", 1, 0x2000, 0x4fff);
	blob_put(&b, b.n + 0x3000 - 1, "x", 1);
	lime_block(&b, 0x3000, 0x1000);
	lime_block(&b, 0x1000, 0x1000);
	struct image *img = open_blob(&b, "lime");
	uint8_t c[2];
	cr_assert_eq(img->n_runs, 4);
	same_bytes(img, 0x3000, 0x1000);
	cr_assert(physmem_read(img->mem, 0x4ffe, c, 2) && memcmp(c, "\0x", 2) == 0);
	image_close(img);
	blob_fini(&b);
}

Test(lime, cut_at_every_boundary)
{
	struct blob b = {0};

	lime_block(&b, 0, 0x2000);
	size_t first = b.n;
	lime_block(&b, 0x8000, 0x1000);
	size_t at[] = {8, 32, 32 + 0x1000, first, first + 32, b.n};
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (size_t n = at[i] - 1; n <= at[i] + 1 && n <= b.n; n++) {
			struct image *img;
			struct err *e = open_bytes(b.at, n, &img);
			cr_assert_eq(e != NULL, n <= 32, "cut at %zu: %s", n, e ? e->msg : "");
			if (e)
				continue;
			cr_assert_eq(img->truncated, n != first && n != b.n, "cut at %zu", n);
			(void)dump_check(img, 0x10000);
			image_close(img);
		}
	blob_fini(&b);
}

Test(lime, headers_that_cannot_be_are_refused)
{
	struct blob b = {0};

	lime_header(&b, "EMiL", 2, 0, 0xfff);
	blob_put(&b, 8191, "", 1);
	refused(&b, ERR_UNSUPPORTED, "version 2");
	b.n = 0;
	lime_header(&b, "EMiL", 1, 0x1000, 0xffe);
	blob_put(&b, 8191, "", 1);
	refused(&b, ERR_FORMAT, "first header is damaged");
	b.n = 0;
	lime_header(&b, "EMiL", 1, 0, UINT64_C(1) << 52);
	blob_put(&b, 8191, "", 1);
	refused(&b, ERR_FORMAT, "first header is damaged");
	b.n = 0;
	lime_header(&b, "EMiL", 1, 0, UINT64_MAX);
	blob_put(&b, 8191, "", 1);
	refused(&b, ERR_FORMAT, "first header is damaged");
	blob_fini(&b);
}

Test(lime, what_is_behind_a_bad_header_is_lost)
{
	struct blob b = {0};

	lime_block(&b, 0, 0x2000);
	blob_append(&b, "this is no header, but it is as long as one", 43);
	lime_block(&b, 0x2000, 0x2000);
	struct image *img = open_blob(&b, "lime");
	cr_assert(img->truncated);
	cr_assert_eq(dump_check(img, 0x10000), 2);
	image_close(img);
	blob_fini(&b);
}

// --- AVML ---

#ifdef HAVE_SNAPPY
// 32 MiB, page 4 of each five zero, page 1 of each three half empty: blocks do not shrink much;
// the first 64 KiB here do, and noise alone does not.
Test(avml, frames_packed_and_plain)
{
	struct blob b = {0};
	static uint8_t zeros[1 << 16], noise[1 << 16];

	avml_block(&b, 0x1000, 0x23000);
	lime_header(&b, "AVML", 2, 0x100000, 0x11ffff);
	size_t start = b.n;
	blob_append(&b, "\xff\6\0\0sNaPpY", 10);
	noise_fill(5, noise, sizeof(noise));
	snappy_chunk(&b, zeros, sizeof(zeros));
	blob_append(&b, "\xfe\3\0\0pad", 7);
	snappy_chunk(&b, noise, sizeof(noise));
	uint64_t length = b.n - start;
	cr_assert_gt(length, sizeof(noise) + 8); // longer than it was: volatility3 hangs here
	blob_append(&b, &length, 8);
	lime_block(&b, 0x200000, 0x1000); // blocks of both kinds
	struct image *img = open_blob(&b, "avml");
	uint8_t got[16];
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	same_bytes(img, 0x1000, 0x23000);
	same_bytes(img, 0x200000, 0x1000);
	cr_assert(physmem_read(img->mem, 0x10fff8, got, 16));
	cr_assert(memcmp(got, "\0\0\0\0\0\0\0", 8) == 0 && memcmp(got + 8, noise, 8) == 0);
	image_close(img);
	blob_fini(&b);
}

Test(avml, whole_blocks_left_out_are_zero)
{
	struct blob b = {0};

	avml_block(&b, MIB, 16 * MIB);
	avml_block(&b, 49 * MIB, MIB);
	avml_block(&b, 82 * MIB, MIB);
	struct image *img = open_blob(&b, "avml");
	cr_assert_eq(physmem_state(img->mem, 17 * MIB), MEM_ZERO);
	cr_assert_eq(physmem_state(img->mem, 49 * MIB - 1), MEM_ZERO);
	cr_assert_eq(physmem_state(img->mem, 49 * MIB), MEM_PRESENT);
	cr_assert_eq(physmem_state(img->mem, 50 * MIB), MEM_ABSENT); // not behind a whole block
	cr_assert_eq(physmem_state(img->mem, 0), MEM_ABSENT);
	image_close(img);
	blob_fini(&b);
}

Test(avml, a_gap_that_is_no_whole_block_is_absent)
{
	struct blob b = {0};

	avml_block(&b, MIB, 16 * MIB);
	avml_block(&b, 64 * MIB, MIB);
	struct image *img = open_blob(&b, "avml");
	cr_assert_eq(physmem_state(img->mem, 17 * MIB), MEM_ABSENT);
	image_close(img);
	blob_fini(&b);
}

Test(avml, a_frame_with_a_wrong_check_sum_is_absent)
{
	struct blob b = {0};
	uint8_t c;

	avml_block(&b, 0, 0x30000);
	b.at[32 + 10 + 4 + 1000] ^= 1;
	struct image *img = open_blob(&b, "avml");
	cr_assert_not(physmem_read(img->mem, 0x1000, &c, 1));
	cr_assert_not(physmem_read(img->mem, 0xf000, &c, 1));
	same_bytes(img, 0x10000, 0x20000);
	image_close(img);
	blob_fini(&b);
}

Test(avml, the_length_behind_a_stream_is_a_check_only)
{
	struct blob b = {0};

	avml_block(&b, 0, 0x30000);
	b.at[b.n - 8] ^= 1;
	avml_block(&b, 0x40000, 0x10000);
	struct image *img = open_blob(&b, "avml");
	cr_assert(img->truncated);
	same_bytes(img, 0, 0x30000);
	same_bytes(img, 0x40000, 0x10000);
	image_close(img);
	blob_fini(&b);
}

Test(avml, cut_at_every_frame)
{
	struct blob b = {0};

	avml_block(&b, 0, 0x30000);
	size_t first = b.n, ends[8] = {32, 42}, n = 2;
	while (ends[n - 1] < first - 8) {
		const uint8_t *h = b.at + ends[n - 1];
		ends[n] = ends[n - 1] + 4 + (h[1] | h[2] << 8 | (size_t)h[3] << 16);
		n++;
	}
	ends[n++] = first;
	avml_block(&b, 0x40000, 0x10000);
	ends[n++] = b.n;
	for (size_t i = 0; i < n; i++)
		for (size_t size = ends[i] - 1; size <= ends[i] + 1 && size <= b.n; size++) {
			struct image *img;
			struct err *e = open_bytes(b.at, size, &img);
			if (e)
				continue;
			cr_assert_eq(img->truncated, size != first && size != b.n, "cut at %zu",
				     size);
			(void)dump_check(img, 0x60000);
			image_close(img);
		}
	blob_fini(&b);
}

static void exhausted(size_t asked)
{
	cr_assert_fail("%zu bytes were asked for", asked);
}

static void bad_chunk(const char *chunk, size_t n, const char *word)
{
	struct blob b = {0};

	mem_on_exhausted(exhausted);
	mem_set_limit(64 << 20);
	avml_block(&b, 0, 0x10000);
	lime_header(&b, "AVML", 2, 0x100000, (UINT64_C(1) << 51) - 1);
	blob_append(&b, chunk, n);
	blob_put(&b, b.n + 5000, "", 1);
	struct image *img = open_blob(&b, "avml");
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, word), "%s", img->truncated_why);
	same_bytes(img, 0, 0x10000);
	image_close(img);
	blob_fini(&b);
}

Test(avml, frames_that_cannot_be_end_it)
{
	bad_chunk("\xff\7\0\0sNaPpYx", 11, "no snappy stream");
	bad_chunk("\xff\6\0\0SnApPy", 10, "no snappy stream");
	bad_chunk("\1\xff\xff\xff", 4, "ends inside a frame");
	bad_chunk("\1\2\0\0xx", 6, "unknown type or size");
	bad_chunk("\0\x0a\0\0CCCC\xff\xff\xff\xff\x0f", 13, "length that can't be");
	bad_chunk("\0\4\0\0CCCC", 8, "length that can't be");
	bad_chunk("\2\4\0\0CCCC", 8, "unknown type or size");
	bad_chunk("\x80\4\0\0CCCC\x7f", 9, "unknown type or size");
}

Test(avml, changed_bytes_do_no_harm)
{
	struct blob b = {0};
	uint64_t x = 1;

	avml_block(&b, 0, 0x18000);
	lime_block(&b, 0x40000, 0x1000);
	avml_block(&b, 0x100000, 0x8000);
	for (int i = 0; i < 2000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)((x >> 33) % b.n);
		uint8_t was = b.at[at], buf[64];
		struct image *img;
		b.at[at] ^= (uint8_t)(1 << (x >> 29) % 8);
		if (!open_bytes(b.at, b.n, &img)) {
			for (uint64_t pa = 0; pa < 0x110000; pa += 0x7000)
				(void)physmem_read(img->mem, pa, buf, sizeof(buf));
			image_close(img);
		}
		b.at[at] = was;
	}
	blob_fini(&b);
}
#endif
