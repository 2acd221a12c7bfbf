// SPDX-License-Identifier: LGPL-2.1-or-later
// mapped-ram (QEMU 9.0; libvirt's "sparse"): each page has its place in the file, so nothing is
// read beforehand but a bitmap of the pages that have bytes.
//
// Behind a block's size stand be32 version, be64 page size, be64 offset of the bitmap, be64 offset
// of the pages (migration/ram.c, MappedRamHeader); offsets are those of the file, wherever in it
// the stream starts. The next block's entry follows the pages. The bitmaps are written last, so an
// interrupted file has none; its pages are there all the same.
#include "formats/qemu_stream.h"

#include "src/base/bytes.h"

#include <string.h>

enum { HEADER_SIZE = 4 + 3 * 8, HEADER_VERSION = 1 };

typedef unsigned long long ull;

// Words of 64 bits, of which the writer's byte order is little-endian here.
static uint64_t bitmap_size(const struct qemu_block *b)
{
	return (b->size / PAGE_SIZE + 63) / 64 * 8;
}

static struct err *check_header(const struct qemu_stream *s, const struct qemu_block *b)
{
	uint64_t end;

	if (b->bitmap_off < window_off(&s->w) || b->pages_off < b->bitmap_off ||
	    b->pages_off - b->bitmap_off < bitmap_size(b) ||
	    __builtin_add_overflow(b->pages_off, b->size, &end))
		return err_new(
			ERR_FORMAT,
			"a mapped-ram stream whose RAM block %s has its bitmap at 0x%llx and "
			"its pages at 0x%llx, which can't be",
			b->name, (ull)b->bitmap_off, (ull)b->pages_off);
	return NULL;
}

struct err *qemu_mapped_block(struct qemu_stream *s, struct qemu_block *b)
{
	const uint8_t *p;

	if (!window_take(&s->w, HEADER_SIZE, &p)) {
		qemu_cut(s, "the list of RAM blocks");
		return NULL;
	}
	if (be32(p) != HEADER_VERSION || be64(p + 4) != PAGE_SIZE)
		return err_new(ERR_UNSUPPORTED,
			       "a mapped-ram stream with headers of version %u and pages of %llu "
			       "bytes",
			       be32(p), (ull)be64(p + 4));
	b->bitmap_off = be64(p + 12);
	b->pages_off = be64(p + 20);
	TRY(check_header(s, b));
	window_seek(&s->w, b->pages_off + b->size);
	return NULL;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

// False: the file does not have all of it.
static bool load_bitmap(struct qemu_stream *s, struct qemu_block *b)
{
	size_t n = (size_t)bitmap_size(b), got;

	if (b->bitmap_off > s->end || n > s->end - b->bitmap_off)
		return false;
	b->bitmap = mem_alloc(n);
	return !io_read(s->img->io, b->bitmap_off, b->bitmap, n, &got) && got == n;
}

static void drop_bitmap(struct qemu_block *b)
{
	mem_free(b->bitmap);
	b->bitmap = NULL;
}

struct err *qemu_mapped_settle(struct qemu_stream *s)
{
	struct qemu_block *b;
	bool salvaged = false;

	vec_foreach (b, &s->blocks) {
		bool there = load_bitmap(s, b);
		if (there && (s->ram_ended || !is_zero(b->bitmap, (size_t)bitmap_size(b))))
			continue;
		drop_bitmap(b);
		salvaged = true;
	}
	if (salvaged)
		image_damaged(s->img, "the save was interrupted before it said which pages are "
				      "valid: pages may be of different times, or stale; those of "
				      "zeros may not have been reached, and count as absent");
	return NULL;
}

static const struct qemu_block *block_of(const struct qemu_stream *s, uint64_t page)
{
	const struct qemu_block *b;

	vec_foreach (b, &s->blocks)
		if (page - b->first < b->size / PAGE_SIZE)
			return b;
	return NULL;
}

bool qemu_mapped_read(struct qemu_stream *s, uint64_t page, uint8_t out[static PAGE_SIZE])
{
	const struct qemu_block *b = block_of(s, page);
	size_t got;

	if (!b)
		return false;
	uint64_t k = page - b->first;
	if (b->bitmap && !(b->bitmap[k / 8] & 1U << k % 8)) {
		memset(out, 0, PAGE_SIZE);
		return true;
	}
	if (io_read(s->img->io, b->pages_off + k * PAGE_SIZE, out, PAGE_SIZE, &got) ||
	    got < PAGE_SIZE)
		return false;
	// Without a bitmap, zeros are either the page's or the file's, which has holes before that.
	return b->bitmap || !is_zero(out, PAGE_SIZE);
}
