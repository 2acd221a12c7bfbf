// SPDX-License-Identifier: LGPL-2.1-or-later
// zstd's seekable format (zstd, contrib/seekable_format/zstd_seekable_compression_format.md 0.1.0):
// independent frames, and a table of their sizes in a skippable frame at the end of the file.
//
// A frame is unpacked when a byte of it is first asked for, and kept twice: in memory among the
// last few, and in a scratch file for good. Kernel structures are all over RAM, so without the
// scratch file each frame would be unpacked hundreds of times. If there is no room for one, the
// few in memory have to do.
#include "formats/zstd_seek.h"

#ifndef HAVE_ZSTD
struct io *zstd_seek_open(struct io *packed, const struct fmt_probe *p)
{
	(void)packed;
	(void)p;
	return NULL;
}
#else
#include "formats/scratch.h"
#include "formats/unpack_limits.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <string.h>

#include <zstd.h>
#include <xxhash.h>

enum {
	FOOTER_SIZE = 9,
	SKIP_HEADER_SIZE = 8,
	FRAME_MAX = 1 << UNPACK_FRAME_LOG,
	FRAMES_MAX = 1 << 24,
	KEPT_BYTES = 32 << 20,
	KEPT_MAX = 64,
};

static const uint32_t SEEK_MAGIC = 0x8F92EAB1, SEEK_FRAME_MAGIC = 0x184D2A5E;
static const size_t NO_FRAME = SIZE_MAX;

enum frame_state { FRAME_NEW, FRAME_IN_SCRATCH, FRAME_BAD };

struct frame {
	uint64_t packed_off, off; // in the file, in the content
	uint32_t check;
	enum frame_state state;
};

struct kept {
	size_t frame;
	uint8_t *bytes;
};

struct seek_io {
	struct io io;
	struct io *packed;
	ZSTD_DCtx *ctx;
	struct frame *frames; // and one more that marks the end
	size_t n_frames;
	bool has_checks;
	size_t frame_max, packed_max; // the largest of each
	uint8_t *in;
	struct kept kept[KEPT_MAX];
	size_t n_kept, next_kept;
	struct scratch scratch; // fd -1 if there is none (any more)
};

// --- Frames ---

static size_t frame_size(const struct seek_io *z, size_t i)
{
	return (size_t)(z->frames[i + 1].off - z->frames[i].off);
}

static bool decompress(struct seek_io *z, size_t i, uint8_t *to)
{
	size_t n = (size_t)(z->frames[i + 1].packed_off - z->frames[i].packed_off), got;

	if (io_read(z->packed, z->frames[i].packed_off, z->in, n, &got) || got < n)
		return false;
	size_t size = ZSTD_decompressDCtx(z->ctx, to, frame_size(z, i), z->in, n);
	if (ZSTD_isError(size) || size != frame_size(z, i))
		return false;
	return !z->has_checks || (uint32_t)XXH64(to, size, 0) == z->frames[i].check;
}

static void save(struct seek_io *z, size_t i, const uint8_t *bytes)
{
	if (z->scratch.fd < 0)
		return;
	if (!scratch_write(&z->scratch, z->frames[i].off, bytes, frame_size(z, i)))
		z->frames[i].state = FRAME_IN_SCRATCH;
	else
		scratch_fini(&z->scratch); // full; frames in it are unpacked again when asked for
}

static bool load(struct seek_io *z, size_t i, uint8_t *to)
{
	struct frame *f = &z->frames[i];
	size_t n = frame_size(z, i);

	if (f->state == FRAME_BAD)
		return false;
	if (!decompress(z, i, to)) {
		f->state = FRAME_BAD;
		return false;
	}
	if (n > 0)
		save(z, i, to);
	return true;
}

// The frame's bytes, or NULL if it is damaged.
static const uint8_t *get_frame(struct seek_io *z, size_t i)
{
	for (size_t k = 0; k < z->n_kept; k++)
		if (z->kept[k].frame == i)
			return z->kept[k].bytes;
	struct kept *k = &z->kept[z->next_kept];
	z->next_kept = z->next_kept + 1 < z->n_kept ? z->next_kept + 1 : 0;
	if (!k->bytes)
		k->bytes = mem_alloc(z->frame_max);
	k->frame = NO_FRAME;
	if (!load(z, i, k->bytes))
		return NULL;
	k->frame = i;
	return k->bytes;
}

// --- The content as an io ---

// The frame that holds off, which is below the end.
static size_t find_frame(const struct seek_io *z, uint64_t off)
{
	size_t lo = 0, hi = z->n_frames;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (z->frames[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

// n bytes at off, all in frame i.
static bool read_in_frame(struct seek_io *z, size_t i, uint64_t off, uint8_t *buf, size_t n)
{
	if (z->frames[i].state == FRAME_IN_SCRATCH && z->scratch.fd >= 0)
		return scratch_read(&z->scratch, off, buf, n);
	const uint8_t *bytes = get_frame(z, i);
	if (!bytes)
		return false;
	memcpy(buf, bytes + (off - z->frames[i].off), n);
	return true;
}

static struct err *seek_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	struct seek_io *z = (struct seek_io *)io;

	while (*got < n) {
		size_t i = find_frame(z, off + *got);
		uint64_t left = z->frames[i + 1].off - (off + *got);
		size_t part = left < n - *got ? (size_t)left : n - *got;
		if (!read_in_frame(z, i, off + *got, (uint8_t *)buf + *got, part))
			break;
		*got += part;
	}
	return NULL;
}

static void seek_close(struct io *io)
{
	struct seek_io *z = (struct seek_io *)io;

	(void)ZSTD_freeDCtx(z->ctx);
	mem_free(z->frames);
	mem_free(z->in);
	for (size_t k = 0; k < KEPT_MAX; k++)
		mem_free(z->kept[k].bytes);
	scratch_fini(&z->scratch);
	io_close(z->packed);
}

static const struct io_ops seek_ops = {seek_read, seek_close};

// --- The seek table ---

// Its place in the file, or false: {magic, size, entries, number u32, descriptor u8, magic u32}.
static bool find_table(struct io *packed, const struct fmt_probe *p, size_t *n, size_t *entry,
		       uint64_t *off)
{
	uint8_t head[SKIP_HEADER_SIZE];

	if (p->tail_size < FOOTER_SIZE)
		return false;
	const uint8_t *footer = p->tail + p->tail_size - FOOTER_SIZE;
	if (le32(footer + 5) != SEEK_MAGIC || (footer[4] & 0x7c) != 0 || le32(footer) == 0 ||
	    le32(footer) > FRAMES_MAX)
		return false;
	*n = le32(footer);
	*entry = footer[4] & 0x80 ? 12 : 8;
	uint64_t size = *n * *entry + FOOTER_SIZE;
	if (size + SKIP_HEADER_SIZE > packed->size)
		return false;
	*off = packed->size - size;
	return !io_read_all(packed, *off - SKIP_HEADER_SIZE, head, sizeof(head)) &&
	       le32(head) == SEEK_FRAME_MAGIC && le32(head + 4) == size;
}

// Frames follow each other from the first byte of the file to the table.
static bool take_entries(struct seek_io *z, const uint8_t *table, size_t entry, uint64_t table_off)
{
	struct frame at = {0};

	for (size_t i = 0; i < z->n_frames; i++) {
		const uint8_t *e = table + i * entry;
		uint32_t packed = le32(e), size = le32(e + 4);
		at.check = z->has_checks ? le32(e + 8) : 0;
		z->frames[i] = at;
		if (size > FRAME_MAX || packed > ZSTD_COMPRESSBOUND(FRAME_MAX))
			return false;
		z->frame_max = size > z->frame_max ? size : z->frame_max;
		z->packed_max = packed > z->packed_max ? packed : z->packed_max;
		at.packed_off += packed;
		at.off += size;
	}
	z->frames[z->n_frames] = at;
	z->io.size = at.off;
	return at.off > 0 && at.packed_off == table_off - SKIP_HEADER_SIZE;
}

static bool read_table(struct seek_io *z, struct io *packed, const struct fmt_probe *p)
{
	size_t entry;
	uint64_t off;

	if (!find_table(packed, p, &z->n_frames, &entry, &off))
		return false;
	_cleanup_free_ uint8_t *table = mem_alloc(z->n_frames * entry);
	z->frames = mem_alloc((z->n_frames + 1) * sizeof(*z->frames));
	z->has_checks = entry == 12;
	return !io_read_all(packed, off, table, z->n_frames * entry) &&
	       take_entries(z, table, entry, off);
}

static void set_up(struct seek_io *z)
{
	size_t n = KEPT_BYTES / z->frame_max;

	z->n_kept = n < KEPT_MAX ? n : KEPT_MAX;
	for (size_t k = 0; k < z->n_kept; k++)
		z->kept[k].frame = NO_FRAME;
	z->in = mem_alloc(z->packed_max);
	z->ctx = ZSTD_createDCtx();
	if (scratch_init(&z->scratch) || scratch_set_size(&z->scratch, z->io.size))
		scratch_fini(&z->scratch);
}

struct io *zstd_seek_open(struct io *packed, const struct fmt_probe *p)
{
	struct seek_io *z = mem_zalloc(1, sizeof(*z));
	uint8_t first;

	z->io.ops = &seek_ops;
	z->scratch.fd = -1;
	if (read_table(z, packed, p)) {
		set_up(z);
		z->packed = packed;
		z->io.path = mem_strdup(packed->path);
		if (z->ctx && read_in_frame(z, find_frame(z, 0), 0, &first, 1))
			return &z->io;
		z->packed = NULL; // a bad start is the business of the unpacker, which can say why
	}
	io_close(&z->io);
	return NULL;
}
#endif
