// SPDX-License-Identifier: LGPL-2.1-or-later
// The writers of makedumpfile's, LiME's and AVML's dumps.
#include "tests/unit/dump_build.h"

#include "formats/crc32c.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <endian.h>
#include <string.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

uint8_t dump_byte(uint64_t pa)
{
	uint64_t page = pa / DUMP_PAGE;

	if (page % 5 == 4 || (page % 3 == 1 && pa % DUMP_PAGE >= DUMP_PAGE / 2))
		return 0;
	return noise_at(pa);
}

void dump_fill(uint64_t pa, void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = dump_byte(pa + i);
}

size_t dump_check(struct image *img, uint64_t end)
{
	uint8_t got[DUMP_PAGE], want[DUMP_PAGE];
	size_t n = 0;

	for (uint64_t pa = 0; pa < end; pa += DUMP_PAGE) {
		if (!physmem_read(img->mem, pa, got, DUMP_PAGE))
			continue;
		dump_fill(pa, want, DUMP_PAGE);
		cr_assert_eq(memcmp(got, want, DUMP_PAGE), 0, "wrong bytes at 0x%llx",
			     (unsigned long long)pa);
		n++;
	}
	return n;
}

static void put32(struct blob *b, size_t off, uint32_t v)
{
	blob_put(b, off, &v, 4);
}

static void put64(struct blob *b, size_t off, uint64_t v)
{
	blob_put(b, off, &v, 8);
}

// --- kdump-compressed ---

static bool all(uint64_t pfn)
{
	(void)pfn;
	return true;
}

struct kdump_build kdump_default(void)
{
	return (struct kdump_build){
		.block_size = DUMP_PAGE,
		.version = 6,
		.flag = 1,
		.end = 64,
		.n_pfns = 64,
		.is_ram = all,
		.is_dumped = all,
	};
}

static size_t pack(uint32_t flag, const uint8_t *in, size_t n, uint8_t *out, size_t room)
{
	size_t size = n;

	(void)in;
	(void)out;
	(void)room;
#ifdef HAVE_ZLIB
	if (flag == 1) {
		uLongf z = room;
		cr_assert_eq(compress2(out, &z, in, n, 1), Z_OK);
		size = z;
	}
#endif
#ifdef HAVE_LZO
	if (flag == 2) {
		static uint8_t work[LZO1X_1_MEM_COMPRESS];
		lzo_uint z = room;
		cr_assert(lzo_init() == LZO_E_OK && lzo1x_1_compress(in, n, out, &z, work) == 0);
		size = z;
	}
#endif
#ifdef HAVE_SNAPPY
	if (flag == 4) {
		size = room;
		cr_assert_eq(snappy_compress((const char *)in, n, (char *)out, &size), SNAPPY_OK);
	}
#endif
#ifdef HAVE_ZSTD
	if (flag == 0x20)
		size = ZSTD_compress(out, room, in, n, 1);
#endif
	return size;
}

static void put_page(struct blob *out, size_t desc, const struct kdump_build *b, uint64_t pfn)
{
	uint8_t *page = mem_alloc(b->block_size), *packed = mem_alloc(2 * b->block_size);

	dump_fill(pfn * b->block_size, page, b->block_size);
	size_t n = pack(b->flag, page, b->block_size, packed, 2 * b->block_size);
	bool packs = b->flag && n < b->block_size;
	put64(out, desc, out->n);
	put32(out, desc + 8, (uint32_t)(packs ? n : b->block_size));
	put32(out, desc + 12, packs ? b->flag : 0);
	blob_append(out, packs ? packed : page, packs ? n : b->block_size);
	mem_free(packed);
	mem_free(page);
}

static void put_header(struct blob *out, const struct kdump_build *b, size_t sub_blocks,
		       size_t bitmap_blocks)
{
	blob_put(out, 0, "KDUMP   ", 8);
	put32(out, 8, b->version);
	blob_put(out, 12, "Linux", 5);
	put32(out, 424, b->flag | b->status);
	put32(out, 428, (uint32_t)b->block_size);
	put32(out, 432, (uint32_t)sub_blocks);
	put32(out, 436, (uint32_t)bitmap_blocks);
	put32(out, 440, (uint32_t)b->n_pfns);
	put32(out, 460, 1);
}

static void put_sub_header(struct blob *out, const struct kdump_build *b, size_t at, size_t info,
			   size_t notes)
{
	put32(out, at + 8, b->level);
	put32(out, at + 12, b->split);
	put64(out, at + 16, b->version < 6 ? b->start : 0);
	put64(out, at + 24, b->version < 6 ? b->end : 0);
	put64(out, at + 32, info);
	put64(out, at + 40, b->info.n);
	put64(out, at + 48, notes);
	put64(out, at + 56, b->notes.n);
	put64(out, at + 80, b->start);
	put64(out, at + 88, b->end);
	put64(out, at + 96, b->version < 6 ? UINT64_MAX : b->n_pfns);
	blob_put(out, info, b->info.at, b->info.n);
	blob_put(out, notes, b->notes.at, b->notes.n);
}

static void put_bit(struct blob *out, size_t bitmap, uint64_t pfn)
{
	out->at[bitmap + pfn / 8] |= (uint8_t)(1 << pfn % 8);
}

struct blob kdump_write(const struct kdump_build *b, struct kdump_places *at)
{
	struct blob out = {0};
	size_t bs = b->block_size, sub_blocks = 4, one = (b->n_pfns / 8 + bs) / bs;
	struct kdump_places p = {.sub = bs, .bitmap = (1 + sub_blocks) * bs};
	uint64_t n = 0;

	p.second = p.bitmap + (b->one_bitmap ? 0 : one * bs);
	p.descs = p.second + one * bs;
	put_header(&out, b, sub_blocks, (p.descs - p.bitmap) / bs);
	put_sub_header(&out, b, p.sub, bs + 128, bs + 2048);
	blob_put(&out, p.descs - 1, "", 1);
	for (uint64_t pfn = 0; pfn < b->n_pfns; pfn++) {
		if (!b->one_bitmap && b->is_ram(pfn))
			put_bit(&out, p.bitmap, pfn);
		if (b->is_dumped(pfn))
			put_bit(&out, p.second, pfn);
		n += b->is_dumped(pfn) && pfn >= b->start && pfn < b->end;
	}
	p.data = p.descs + n * 24;
	if (n > 0)
		blob_put(&out, p.data - 1, "", 1);
	for (uint64_t pfn = b->start, i = 0; pfn < b->end; pfn++)
		if (b->is_dumped(pfn))
			put_page(&out, p.descs + i++ * 24, b, pfn);
	p.end = out.n;
	if (at)
		*at = p;
	return out;
}

// --- Flattened ---

void flat_header(struct blob *b, uint64_t off, uint64_t size)
{
	uint64_t h[2] = {htobe64(off), htobe64(size)};

	blob_append(b, h, sizeof(h));
}

void flat_begin(struct blob *b)
{
	blob_append(b, "makedumpfile\0\0\0\0", 16);
	flat_header(b, 1, 1);
	blob_put(b, 4095, "", 1);
}

void flat_piece(struct blob *b, uint64_t off, const void *bytes, size_t n)
{
	flat_header(b, off, n);
	blob_append(b, bytes, n);
}

void flat_end(struct blob *b)
{
	flat_header(b, UINT64_MAX, UINT64_MAX);
}

// --- LiME, AVML ---

void lime_header(struct blob *b, const char *magic, uint32_t version, uint64_t first, uint64_t last)
{
	uint64_t range[3] = {first, last, 0};

	blob_append(b, magic, 4);
	blob_append(b, &version, 4);
	blob_append(b, range, sizeof(range));
}

static void append_guest(struct blob *b, uint64_t pa, size_t n)
{
	uint8_t *bytes = mem_alloc(n);

	dump_fill(pa, bytes, n);
	blob_append(b, bytes, n);
	mem_free(bytes);
}

void lime_block(struct blob *b, uint64_t pa, size_t size)
{
	lime_header(b, "EMiL", 1, pa, pa + size - 1);
	append_guest(b, pa, size);
}

void snappy_chunk(struct blob *b, const void *bytes, size_t n)
{
	static char packed[80000];
	size_t size = n;

#ifdef HAVE_SNAPPY
	size = sizeof(packed);
	cr_assert_eq(snappy_compress(bytes, n, packed, &size), SNAPPY_OK);
#endif
	bool plain = size >= n - n / 8;
	uint32_t head = (uint32_t)plain | (uint32_t)((plain ? n : size) + 4) << 8;
	uint32_t crc = crc32c(bytes, n);
	crc = (crc >> 15 | crc << 17) + 0xa282ead8;
	blob_append(b, &head, 4);
	blob_append(b, &crc, 4);
	blob_append(b, plain ? bytes : packed, plain ? n : size);
}

void avml_block(struct blob *b, uint64_t pa, size_t size)
{
	static uint8_t part[1 << 16];

	lime_header(b, "AVML", 2, pa, pa + size - 1);
	size_t start = b->n;
	blob_append(b, "\xff\6\0\0sNaPpY", 10);
	for (size_t i = 0; i < size; i += sizeof(part)) {
		size_t n = size - i < sizeof(part) ? size - i : sizeof(part);
		dump_fill(pa + i, part, n);
		snappy_chunk(b, part, n);
	}
	uint64_t length = b->n - start;
	blob_append(b, &length, 8);
}
