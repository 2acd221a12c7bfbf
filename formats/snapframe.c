// SPDX-License-Identifier: LGPL-2.1-or-later
// An index of frames, and the last few of them unpacked.
//
// A frame holds at most 64 KiB, packed or, if it did not shrink, as it is and 8 bytes longer. One
// whose check sum is wrong is not given to anybody.
#include "formats/snapframe.h"

#include "formats/block.h"
#include "formats/crc32c.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "src/base/vec.h"

#include <string.h>

enum {
	CHUNK_PACKED = 0x00,
	CHUNK_PLAIN = 0x01,
	CHUNK_FIRST_SKIPPABLE = 0x80,
	CHUNK_STREAM_ID = 0xff,
	CHUNK_HEADER = 4, // type u8, length u24
	CHECK_SIZE = 4,
	LENGTH_MAX = 5, // bytes of a frame's unpacked length
	CONTENT_MAX = 1 << 16,
	PACKED_MAX = 76490, // of CONTENT_MAX bytes, by snappy's formula
	KEPT = 512,	    // frames: 32 MiB
	FRAMES_MAX = 1 << 26,
};

static const size_t NO_FRAME = SIZE_MAX;

struct frame {
	uint64_t at;	// of its content
	uint64_t off;	// of its bytes in the file, behind the check sum
	uint32_t n;	// of its bytes in the file
	uint32_t plain; // bool
};

struct slot {
	size_t frame;
	uint8_t *bytes;
};

struct snapframe {
	struct io *packed;
	VEC(struct frame) frames;
	uint64_t size;
	struct block_unpacker *unpacker;
	struct slot slots[KEPT];
	uint8_t in[CHECK_SIZE + PACKED_MAX];
};

struct snapframe *snapframe_new(struct io *packed)
{
	struct snapframe *s = mem_zalloc(1, sizeof(*s));

	s->packed = packed;
	s->unpacker = block_unpacker_new();
	for (size_t i = 0; i < KEPT; i++)
		s->slots[i].frame = NO_FRAME;
	return s;
}

void snapframe_free(struct snapframe *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < KEPT; i++)
		mem_free(s->slots[i].bytes);
	block_unpacker_free(s->unpacker);
	vec_fini(&s->frames);
	mem_free(s);
}

uint64_t snapframe_size(const struct snapframe *s)
{
	return s->size;
}

// --- Indexing ---

struct chunk {
	uint8_t type;
	uint32_t n;	  // behind the header
	uint32_t content; // of a data chunk
	bool whole;	  // the file has all of it
};

// snappy's preamble: little-endian, seven bits a byte.
static bool unpacked_length(const uint8_t *p, size_t n, uint32_t *length)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < LENGTH_MAX && i < n; i++) {
		v |= (uint64_t)(p[i] & 0x7f) << 7 * i;
		if (p[i] < 0x80) {
			*length = (uint32_t)v;
			return v <= CONTENT_MAX;
		}
	}
	return false;
}

static const char *size_up(struct chunk *c, const uint8_t *body, size_t n)
{
	if (c->type == CHUNK_PLAIN && c->n >= CHECK_SIZE && c->n <= CHECK_SIZE + CONTENT_MAX)
		c->content = c->n - CHECK_SIZE;
	else if (c->type == CHUNK_PACKED && c->n >= CHECK_SIZE && c->n <= CHECK_SIZE + PACKED_MAX) {
		if (n > c->n)
			n = c->n;
		if (n <= CHECK_SIZE ||
		    !unpacked_length(body + CHECK_SIZE, n - CHECK_SIZE, &c->content))
			return "a frame of a length that can't be";
	} else if (c->type == CHUNK_STREAM_ID) {
		if (c->n != 6 || n < 6 || memcmp(body, "sNaPpY", 6) != 0)
			return "no snappy stream where one should begin";
	} else if (c->type < CHUNK_FIRST_SKIPPABLE) {
		return "a frame of unknown type or size";
	}
	return NULL;
}

static struct err *read_chunk(struct snapframe *s, uint64_t off, struct chunk *c,
			      const char **damage)
{
	uint8_t head[CHUNK_HEADER + CHECK_SIZE + LENGTH_MAX];
	size_t got;

	*c = (struct chunk){0};
	TRY(io_read(s->packed, off, head, sizeof(head), &got));
	if (got < CHUNK_HEADER) {
		*damage = "the file ends inside a block";
		return NULL;
	}
	c->type = head[0];
	c->n = le32(head) >> 8;
	c->whole = c->n <= s->packed->size - off - CHUNK_HEADER;
	*damage = c->whole ? size_up(c, head + CHUNK_HEADER, got - CHUNK_HEADER)
			   : "the file ends inside a frame";
	return NULL;
}

static void add_frame(struct snapframe *s, uint64_t off, const struct chunk *c)
{
	if (c->content == 0)
		return;
	vec_push(&s->frames, ((struct frame){.at = s->size,
					     .off = off + CHUNK_HEADER,
					     .n = c->n,
					     .plain = c->type == CHUNK_PLAIN}));
	s->size += c->content;
}

struct err *snapframe_index(struct snapframe *s, uint64_t *off, uint64_t want, uint64_t *got,
			    const char **damage)
{
	struct chunk c;

	*got = 0;
	*damage = NULL;
	while (*got < want) {
		TRY(read_chunk(s, *off, &c, damage));
		if (!*damage && c.content > want - *got)
			*damage = "more in a block than its header says";
		if (!*damage && s->frames.n >= FRAMES_MAX)
			return err_new(ERR_LIMIT, "more than %d frames", FRAMES_MAX);
		if (*damage)
			return NULL;
		add_frame(s, *off, &c);
		*got += c.content;
		*off += CHUNK_HEADER + c.n;
	}
	return NULL;
}

// --- Reading ---

static size_t content_size(const struct snapframe *s, size_t i)
{
	uint64_t end = i + 1 < s->frames.n ? s->frames.at[i + 1].at : s->size;

	return (size_t)(end - s->frames.at[i].at);
}

// The check sum is rotated and has a constant added, so that a CRC of a CRC is no fixed point.
static uint32_t masked(uint32_t crc)
{
	return (crc >> 15 | crc << 17) + 0xa282ead8;
}

static bool unpack(struct snapframe *s, size_t i, uint8_t *to)
{
	const struct frame *f = &s->frames.at[i];
	size_t n = content_size(s, i), got;

	if (io_read(s->packed, f->off, s->in, f->n, &got) || got < f->n)
		return false;
	if (f->plain)
		memcpy(to, s->in + CHECK_SIZE, n);
	else if (!block_unpack(s->unpacker, BLOCK_SNAPPY, s->in + CHECK_SIZE, f->n - CHECK_SIZE, to,
			       n))
		return false;
	return masked(crc32c(to, n)) == le32(s->in);
}

static const uint8_t *get_frame(struct snapframe *s, size_t i)
{
	struct slot *slot = &s->slots[i % KEPT];

	if (slot->frame == i)
		return slot->bytes;
	if (!slot->bytes)
		slot->bytes = mem_alloc(CONTENT_MAX);
	slot->frame = NO_FRAME;
	if (!unpack(s, i, slot->bytes))
		return NULL;
	slot->frame = i;
	return slot->bytes;
}

// The frame that holds `at`, which is below the end.
static size_t find_frame(const struct snapframe *s, uint64_t at)
{
	size_t lo = 0, hi = s->frames.n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (s->frames.at[mid].at <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

void snapframe_read(struct snapframe *s, uint64_t at, void *buf, size_t n, size_t *got)
{
	for (*got = 0; *got < n && at + *got < s->size;) {
		size_t i = find_frame(s, at + *got);
		size_t skip = (size_t)(at + *got - s->frames.at[i].at);
		size_t part = content_size(s, i) - skip;
		const uint8_t *bytes = get_frame(s, i);
		if (!bytes)
			return;
		if (part > n - *got)
			part = n - *got;
		memcpy((uint8_t *)buf + *got, bytes + skip, part);
		*got += part;
	}
}
