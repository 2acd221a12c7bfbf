// SPDX-License-Identifier: LGPL-2.1-or-later
// LiME dumps, and AVML's, which are LiME's, or the same with each block in snappy frames.
//
// A block begins with LE {u32 magic, u32 version, u64 first address, u64 last address, u64 0}
// (LiME, lime.h; AVML, src/image.rs). After it come its bytes or, in AVML's own version 2, a snappy
// stream of them and the u64 length of that stream. AVML cuts ranges into blocks of 16 MiB then and
// leaves out those that are all zero: a gap of whole blocks behind a whole block is such a place,
// for the ranges of a PC's memory begin and end at other distances.
#include "formats/readers.h"

#include "formats/block.h"
#include "formats/overlay.h"
#include "formats/probe.h"
#include "formats/snapframe.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <string.h>

enum {
	HEADER_SIZE = 32,
	TRAILER_SIZE = 8,
	AVML_BLOCK = 16 << 20,
	BLOCKS_MAX = 1 << 22,
	STEP = 64, // blocks between two reports of progress
};

// x86-64 has at most 52 physical address bits.
static const uint64_t PHYS_LIMIT = UINT64_C(1) << 52;
// Where a run's `off` is not of the file, but of the content of all snappy streams.
static const uint64_t PACKED = UINT64_C(1) << 62;
static const uint64_t ZERO = UINT64_C(1) << 63;

struct lime {
	struct image *img;
	struct snapframe *packed; // NULL before the first such block
	struct overlay map;
	uint64_t at; // in the file
	uint64_t n_blocks;
	uint64_t before; // one past the block before; 0 if nothing may be said of the gap behind it
	uint64_t zero;	 // bytes in gaps that AVML left out
};

struct block {
	uint64_t pa, size;
	bool packed;
};

typedef unsigned long long ull;

static const char *lime_probe(const struct fmt_probe *p)
{
	return probe_has(p, 0, "EMiL", 4) ? "LiME dump (of LiME or AVML)" : NULL;
}

static const char *avml_probe(const struct fmt_probe *p)
{
	return probe_has(p, 0, "AVML", 4) ? "AVML dump, blocks in snappy" : NULL;
}

// False where no block begins.
static bool parse_header(const uint8_t *h, struct block *b)
{
	uint64_t last = le64(h + 16);
	bool plain = memcmp(h, "EMiL\1\0\0\0", 8) == 0;

	*b = (struct block){.pa = le64(h + 8), .packed = memcmp(h, "AVML\2\0\0\0", 8) == 0};
	if ((!plain && !b->packed) || b->pa > last || last >= PHYS_LIMIT || le64(h + 24) != 0)
		return false;
	b->size = last - b->pa + 1;
	return true;
}

static struct err *check_first(struct image *img)
{
	uint8_t h[HEADER_SIZE];
	struct block b;
	size_t got;

	TRY(io_read(img->io, 0, h, sizeof(h), &got));
	if (got < sizeof(h))
		return err_new(ERR_FORMAT, "a %s dump, cut inside its first header",
			       img->fmt->name);
	if (memcmp(h, "EMiL", 4) == 0 ? le32(h + 4) != 1 : le32(h + 4) != 2)
		return err_new(ERR_UNSUPPORTED, "a %s dump of version %u, which is not known",
			       img->fmt->name, le32(h + 4));
	if (!parse_header(h, &b))
		return err_new(ERR_FORMAT, "a %s dump whose first header is damaged",
			       img->fmt->name);
	return NULL;
}

static struct err *take_plain(struct lime *l, const struct block *b)
{
	uint64_t left = l->img->io->size - l->at, size = b->size < left ? b->size : left;

	overlay_add(&l->map, b->pa, size, l->at);
	l->at += size;
	l->before = 0;
	if (size < b->size)
		image_damaged(l->img, "the file ends inside the block of 0x%llx, %llu bytes early",
			      (ull)b->pa, (ull)(b->size - size));
	return NULL;
}

// The length behind the stream is only a check: the stream ends when the block is full.
static struct err *check_trailer(struct lime *l, const struct block *b, uint64_t length)
{
	uint8_t t[TRAILER_SIZE];
	size_t got;

	TRY(io_read(l->img->io, l->at, t, sizeof(t), &got));
	l->at += got;
	if (got < sizeof(t))
		image_damaged(l->img, "the file ends behind the block of 0x%llx", (ull)b->pa);
	else if (le64(t) != length)
		image_damaged(l->img, "the block of 0x%llx has %llu bytes in the file, not %llu",
			      (ull)b->pa, (ull)length, (ull)le64(t));
	return NULL;
}

static struct err *take_packed(struct lime *l, const struct block *b)
{
	uint64_t start = l->at, got;
	const char *damage;

	if (!l->packed)
		l->packed = snapframe_new(l->img->io);
	uint64_t content = snapframe_size(l->packed);
	TRY(snapframe_index(l->packed, &l->at, b->size, &got, &damage));
	if (l->before && b->pa > l->before && (b->pa - l->before) % AVML_BLOCK == 0) {
		overlay_add(&l->map, l->before, b->pa - l->before, ZERO);
		l->zero += b->pa - l->before;
	}
	overlay_add(&l->map, b->pa, got, PACKED + content);
	l->before = b->size == AVML_BLOCK ? b->pa + b->size : 0;
	if (!damage)
		return check_trailer(l, b, l->at - start);
	image_damaged(l->img, "the block of 0x%llx, at byte %llu: %s", (ull)b->pa, (ull)l->at,
		      damage);
	l->at = UINT64_MAX; // where the next block begins can't be known
	return NULL;
}

static struct err *take_block(struct lime *l)
{
	uint8_t h[HEADER_SIZE];
	struct block b;
	size_t got;

	TRY(io_read(l->img->io, l->at, h, sizeof(h), &got));
	if (got < sizeof(h) || !parse_header(h, &b)) {
		image_damaged(l->img,
			      got < sizeof(h) ? "the file ends inside the header of a block"
					      : "at byte %llu is no block",
			      (ull)l->at);
		l->at = UINT64_MAX;
		return NULL;
	}
	if (++l->n_blocks > BLOCKS_MAX)
		return err_new(ERR_LIMIT, "more than %d blocks", BLOCKS_MAX);
	l->at += HEADER_SIZE;
	return b.packed ? take_packed(l, &b) : take_plain(l, &b);
}

static struct err *take_blocks(struct lime *l)
{
	const struct fmt_options *opts = l->img->opts;
	uint64_t size = l->img->io->size;

	while (l->at < size) {
		TRY(take_block(l));
		if (l->n_blocks % STEP == 0 && opts->progress && l->at < size)
			opts->progress(opts->progress_arg, "indexing", l->at, size);
	}
	overlay_settle(&l->map);
	if (l->map.pieces.n == 0)
		return err_new(ERR_FORMAT, "a %s dump that is cut before its memory starts",
			       l->img->fmt->name);
	return NULL;
}

static void take_runs(struct lime *l)
{
	struct image *img = l->img;
	const struct overlay_piece *p = l->map.pieces.at;

	img->n_runs = l->map.pieces.n;
	img->runs = mem_alloc(img->n_runs * sizeof(*img->runs));
	for (size_t i = 0; i < img->n_runs; i++)
		img->runs[i] = (struct mem_run){p[i].at, p[i].size, p[i].from,
						p[i].from & ZERO ? MEM_ZERO : MEM_PRESENT};
	overlay_fini(&l->map);
	image_fact(img, "Version", "%d", img->fmt == &fmt_avml ? 2 : 1);
	image_fact(img, "Blocks", "%llu", (ull)l->n_blocks);
	if (l->zero)
		image_fact(img, "Left out",
			   "%llu MiB between whole blocks, taken as zeros as AVML leaves those out",
			   (ull)(l->zero >> 20));
}

static struct err *lime_read(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			     void *buf, size_t n, size_t *got)
{
	const struct image *img = (const struct image *)src;
	const struct lime *l = img->priv;

	if (!(run->off & PACKED))
		return io_read(img->io, run->off + delta, buf, n, got);
	snapframe_read(l->packed, run->off - PACKED + delta, buf, n, got);
	return NULL;
}

static struct err *lime_open(struct image *img)
{
	struct lime *l = img->priv = mem_zalloc(1, sizeof(*l));

	l->img = img;
	img->source.read = lime_read;
	TRY(check_first(img));
	TRY(take_blocks(l));
	take_runs(l);
	return NULL;
}

static struct err *avml_open(struct image *img)
{
	const char *lacks = block_lacks(BLOCK_SNAPPY);

	if (lacks)
		return err_new(ERR_UNSUPPORTED,
			       "an AVML dump in snappy: this build of vmiscan lacks %s; build it "
			       "where that library is installed, or use avml-convert",
			       lacks);
	return lime_open(img);
}

static void lime_close(struct image *img)
{
	struct lime *l = img->priv;

	if (!l)
		return;
	snapframe_free(l->packed);
	overlay_fini(&l->map);
	mem_free(l);
}

const struct fmt_ops fmt_lime = {
	.name = "lime",
	.doc = "LiME dump: ranges with a header each; uncompressed dumps of AVML, too",
	.probe = lime_probe,
	.open = lime_open,
	.close = lime_close,
};

const struct fmt_ops fmt_avml = {
	.name = "avml",
	.doc = "AVML dump, version 2: blocks in snappy frames",
	.probe = avml_probe,
	.open = avml_open,
	.close = lime_close,
};
