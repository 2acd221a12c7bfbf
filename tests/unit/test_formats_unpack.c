// SPDX-License-Identifier: LGPL-2.1-or-later
// Images compressed as a whole with gzip, xz, lzma, bzip2, and zlib around LiME.
#include "src/base/mem.h"
#include "tests/unit/dump_build.h"

#include <criterion/criterion.h>

#include <string.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif

enum { SIZE = 1 << 20, ROOM = 2 * SIZE };

typedef size_t pack_fn(const uint8_t *in, size_t n, uint8_t *out);

static uint8_t *content(void)
{
	uint8_t *c = mem_alloc(SIZE);

	noise_fill(0, c, SIZE);
	for (size_t i = 0; i < SIZE; i += 1 << 16)
		memset(c + i, 0, 1 << 15);
	return c;
}

static void has(struct image *img, const uint8_t *c, size_t n)
{
	uint8_t *buf = mem_alloc(n);

	cr_assert_geq(img->io->size, n);
	cr_assert_eq(physmem_read_bulk(img->mem, 0, buf, n), n);
	cr_assert_eq(memcmp(buf, c, n), 0);
	mem_free(buf);
}

static void opens(const uint8_t *packed, size_t n, const char *kind, const uint8_t *c, size_t size)
{
	struct image *img;
	struct err *e = open_bytes(packed, n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->compression, kind);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	cr_assert_eq(img->io->size, size);
	has(img, c, size);
	image_close(img);
}

// A cut file gives what it has, unless that is nothing.
static void cut(const uint8_t *packed, size_t n, const uint8_t *c)
{
	struct image *img;
	struct err *e = open_bytes(packed, n, &img);

	if (e) {
		cr_assert_lt(n, SIZE / 4, "cut at %zu: %s", n, e->msg);
		return;
	}
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "bytes of unpacked memory"));
	has(img, c, img->io->size);
	image_close(img);
}

static void changed(uint8_t *packed, size_t n)
{
	uint64_t x = 1;

	for (int i = 0; i < 60; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)((x >> 33) % (i % 2 ? n : 40));
		uint8_t was = packed[at];
		struct image *img;
		packed[at] ^= (uint8_t)(1 << i % 8);
		if (!open_bytes(packed, n, &img))
			image_close(img);
		packed[at] = was;
	}
}

static void goes_round(pack_fn *pack, const char *kind, bool joins)
{
	uint8_t *c = content(), *packed = mem_alloc(ROOM);
	size_t n = pack(c, SIZE, packed);

	opens(packed, n, kind, c, SIZE);
	if (joins) { // `cat a.gz b.gz` is a file, too; zeros behind it are of the medium
		size_t half = pack(c, SIZE / 2, packed);
		half += pack(c + SIZE / 2, SIZE / 2, packed + half);
		opens(packed, half, kind, c, SIZE);
		memset(packed + half, 0, 512);
		opens(packed, half + 512, kind, c, SIZE);
	}
	n = pack(c, SIZE, packed);
	for (size_t i = 0; i <= 8; i++)
		cut(packed, i < 8 ? n * i / 8 + 20 : n - 1, c);
	changed(packed, n);
	mem_free(packed);
	mem_free(c);
}

static void two_layers(pack_fn *pack)
{
	struct kdump_build k = kdump_default();
	struct blob dump = kdump_write(&k, NULL), flat = {0};
	uint8_t *packed = mem_alloc(ROOM), *again = mem_alloc(2 * ROOM);
	struct image *img;

	flat_begin(&flat);
	flat_piece(&flat, 0, dump.at, dump.n);
	flat_end(&flat);
	size_t n = pack(flat.at, flat.n, packed);
	cr_assert_null(open_bytes(packed, n, &img));
	cr_assert_str_eq(img->fmt->name, "kdump");
	cr_assert_not_null(strstr(img->compression, ", flattened"));
	cr_assert_eq(dump_check(img, 64 * 4096), 64);
	image_close(img);
	n = pack(packed, n, again);
	struct err *e = open_bytes(again, n, &img);
	cr_assert(e && e->code == ERR_UNSUPPORTED && strstr(e->msg, "compressed twice"), "%s",
		  e ? e->msg : "opened");
	mem_free(again);
	mem_free(packed);
	blob_fini(&flat);
	blob_fini(&dump);
}

#ifdef HAVE_ZLIB
static size_t deflate_with(int window, const uint8_t *in, size_t n, uint8_t *out)
{
	z_stream z = {0};

	cr_assert_eq(deflateInit2(&z, 1, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = ROOM;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return ROOM - z.avail_out;
}

static size_t pack_gzip(const uint8_t *in, size_t n, uint8_t *out)
{
	return deflate_with(MAX_WBITS + 16, in, n, out);
}

Test(unpack, gzip)
{
	goes_round(pack_gzip, "gzip", true);
	two_layers(pack_gzip);
}

Test(unpack, zlib_around_lime)
{
	struct blob b = {0};
	uint8_t *packed = mem_alloc(ROOM);
	struct image *img;

	lime_block(&b, 0, 0x30000);
	size_t n = deflate_with(11, b.at, b.n, packed);
	cr_assert_null(open_bytes(packed, n, &img));
	cr_assert_str_eq(img->fmt->name, "lime");
	cr_assert_str_eq(img->compression, "zlib");
	cr_assert_eq(dump_check(img, 0x30000), 0x30);
	image_close(img);
	cr_assert_null(open_bytes(packed, n - 5000, &img));
	cr_assert(img->truncated);
	(void)dump_check(img, 0x30000);
	image_close(img);
	mem_free(packed);
	blob_fini(&b);
}

// Two bytes are no magic: memory may begin with them.
Test(unpack, raw_memory_that_begins_like_zlib_is_raw)
{
	static uint8_t file[1 << 16] = {0x38, 0x8d, 0x01, 0x00, 0x10, 0xff, 0xef, 'x'};
	struct image *img;

	cr_assert_null(open_bytes(file, sizeof(file), &img));
	cr_assert_str_eq(img->fmt->name, "raw");
	cr_assert_null(img->compression);
	image_close(img);
}

static void exhausted(size_t asked)
{
	cr_assert_fail("%zu bytes were asked for", asked);
}

// 256 MiB of zeros in 256 KiB: takes neither memory nor disk.
Test(unpack, a_lot_of_zeros_costs_little)
{
	uint8_t *zeros = mem_zalloc(1, SIZE), *packed = mem_alloc(ROOM);
	struct blob b = {0};
	struct image *img;

	size_t n = pack_gzip(zeros, SIZE, packed);
	for (int i = 0; i < 256; i++)
		blob_append(&b, packed, n);
	mem_on_exhausted(exhausted);
	mem_set_limit(48 << 20);
	cr_assert_null(open_bytes(b.at, b.n, &img));
	cr_assert_eq(img->io->size, (uint64_t)256 * SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(packed);
	mem_free(zeros);
}
#endif

#ifdef HAVE_LZMA
static size_t pack_xz(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t size = 0;

	cr_assert_eq(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, in, n, out, &size, ROOM),
		     LZMA_OK);
	return size;
}

static size_t pack_lzma(const uint8_t *in, size_t n, uint8_t *out)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_options_lzma o;

	cr_assert_not(lzma_lzma_preset(&o, 0));
	cr_assert_eq(lzma_alone_encoder(&z, &o), LZMA_OK);
	z.next_in = in;
	z.avail_in = n;
	z.next_out = out;
	z.avail_out = ROOM;
	cr_assert_eq(lzma_code(&z, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&z);
	return ROOM - z.avail_out;
}

Test(unpack, xz)
{
	goes_round(pack_xz, "xz", true);
	two_layers(pack_xz);
}

Test(unpack, lzma)
{
	goes_round(pack_lzma, "lzma", false);
}

Test(unpack, a_dictionary_too_large_is_refused)
{
	uint8_t *c = content(), *packed = mem_alloc(ROOM);
	size_t n = pack_lzma(c, SIZE, packed);
	struct image *img;

	memcpy(packed + 1, "\0\0\0\x40", 4); // 1 GiB
	struct err *e = open_bytes(packed, n, &img);
	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_UNSUPPORTED);
	cr_assert_not_null(strstr(e->msg, "256 MiB"), "%s", e->msg);
	mem_free(packed);
	mem_free(c);
}
#endif

#ifdef HAVE_BZIP2
static size_t pack_bzip2(const uint8_t *in, size_t n, uint8_t *out)
{
	unsigned size = ROOM;

	cr_assert_eq(BZ2_bzBuffToBuffCompress((char *)out, &size, (char *)(uintptr_t)in,
					      (unsigned)n, 1, 0, 0),
		     BZ_OK);
	return size;
}

Test(unpack, bzip2)
{
	goes_round(pack_bzip2, "bzip2", true);
	two_layers(pack_bzip2);
}
#endif
