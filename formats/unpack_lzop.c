// SPDX-License-Identifier: LGPL-2.1-or-later
// Files by lzop, which libvirt can be told to save domains with; by liblzo2, which has only the
// blocks in them.
//
// lzop 1.04, src/lzop.c and conf.h: a header, then blocks of be32 unpacked size, be32 size, check
// sums, bytes (as they are, where both sizes are the same); an unpacked size of 0 is the end.
#include "formats/unpack.h"

#ifdef HAVE_LZO
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <lzo/lzo1x.h>

#include <string.h>

enum {
	FIXED_SIZE = 21, // magic 9, versions 3 * 2, method, level, flags 4
	VERSION_LEAST = 0x0940,
	BLOCK_MAX = 64 << 20,
};

enum flag {
	SUM_UNPACKED = 0x1, // Adler-32
	SUM_PACKED = 0x2,
	EXTRA_FIELD = 0x40,
	CRC_UNPACKED = 0x100,
	CRC_PACKED = 0x200,
	FILTER = 0x800,
};

// What the bytes are that are being gathered.
enum part { FIXED, TIMES, NAME, EXTRA_SIZE, EXTRA, OUT_SIZE, IN_SIZE, BLOCK };

struct lzop {
	enum part part;
	uint8_t *got; // of the part
	size_t n, need, room;
	uint32_t flags, out_size, in_size, sum;
	uint8_t *out; // an unpacked block
	size_t out_at, out_n, out_room;
};

static void expect(struct lzop *z, enum part part, size_t need)
{
	z->part = part;
	z->n = 0;
	z->need = need;
	if (need > z->room) {
		z->got = mem_grow(z->got, need, 1);
		z->room = need;
	}
}

static void *open_lzop(void)
{
	struct lzop *z = mem_zalloc(1, sizeof(*z));

	expect(z, FIXED, FIXED_SIZE);
	if (lzo_init() == LZO_E_OK)
		return z;
	mem_free(z->got);
	mem_free(z);
	return NULL;
}

static void close_lzop(void *state)
{
	struct lzop *z = state;

	mem_free(z->got);
	mem_free(z->out);
	mem_free(z);
}

// --- The header ---

static const char *take_fixed(struct lzop *z)
{
	if (memcmp(z->got, "\x89LZO\0\r\n\x1a\n", 9) != 0)
		return "what follows is not lzop";
	if (be16(z->got + 9) < VERSION_LEAST || z->got[15] < 1 || z->got[15] > 3)
		return "it is of an unknown version of lzop";
	z->flags = be32(z->got + 17);
	// mode, two halves of the time, the length of the name
	expect(z, TIMES, (z->flags & FILTER ? 4 : 0) + 4 + 4 + 4 + 1);
	return z->flags & FILTER ? "it is filtered by lzop" : NULL;
}

// --- Blocks ---

static size_t sums(const struct lzop *z, uint32_t adler, uint32_t crc)
{
	return (z->flags & adler ? 4U : 0U) + (z->flags & crc ? 4U : 0U);
}

static const char *take_sizes(struct lzop *z)
{
	z->in_size = be32(z->got);
	if (z->in_size == 0 || z->in_size > z->out_size)
		return "a block has an impossible size";
	z->sum = z->flags & SUM_UNPACKED ? be32(z->got + 4) : 0;
	expect(z, BLOCK,
	       z->in_size + (z->in_size < z->out_size ? sums(z, SUM_PACKED, CRC_PACKED) : 0));
	return NULL;
}

static bool unpack_block(struct lzop *z)
{
	const uint8_t *in = z->got + (z->need - z->in_size);
	lzo_uint n = z->out_size;

	if (z->in_size == z->out_size)
		memcpy(z->out, in, n);
	else if (lzo1x_decompress_safe(in, z->in_size, z->out, &n, NULL) != LZO_E_OK)
		return false;
	return n == z->out_size &&
	       (!(z->flags & SUM_UNPACKED) || lzo_adler32(1, z->out, n) == z->sum);
}

static const char *take_block(struct lzop *z)
{
	if (z->out_size > z->out_room) {
		z->out = mem_grow(z->out, z->out_size, 1);
		z->out_room = z->out_size;
	}
	if (!unpack_block(z))
		return "the compressed data is damaged";
	z->out_at = 0;
	z->out_n = z->out_size;
	expect(z, OUT_SIZE, 4);
	return NULL;
}

static const char *take_out_size(struct lzop *z)
{
	z->out_size = be32(z->got);
	if (z->out_size > BLOCK_MAX)
		return "a block has an impossible size";
	if (z->out_size == 0)
		expect(z, FIXED, FIXED_SIZE);
	else
		expect(z, IN_SIZE, 4 + sums(z, SUM_UNPACKED, CRC_UNPACKED));
	return NULL;
}

// What is wrong with the part that is whole now, or NULL.
static const char *take_part(struct lzop *z)
{
	switch (z->part) {
	case FIXED:
		return take_fixed(z);
	case TIMES:
		expect(z, NAME, z->got[z->need - 1] + 4U);
		return NULL;
	case NAME:
		expect(z, z->flags & EXTRA_FIELD ? EXTRA_SIZE : OUT_SIZE, 4);
		return NULL;
	case EXTRA_SIZE:
		if (be32(z->got) > BLOCK_MAX)
			return "the header of lzop has an impossible size";
		expect(z, EXTRA, be32(z->got) + 4U);
		return NULL;
	case EXTRA:
		expect(z, OUT_SIZE, 4);
		return NULL;
	case OUT_SIZE:
		return take_out_size(z);
	case IN_SIZE:
		return take_sizes(z);
	case BLOCK:
		return take_block(z);
	}
	return "";
}

// --- A step ---

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void give(struct lzop *z, struct unpack_step *s)
{
	size_t n = least(z->out_n - z->out_at, s->out_n);

	if (n > 0)
		memcpy(s->out, z->out + z->out_at, n);
	z->out_at += n;
	s->out += n;
	s->out_n -= n;
}

static void gather(struct lzop *z, struct unpack_step *s)
{
	size_t n = least(z->need - z->n, s->in_n);

	if (n > 0)
		memcpy(z->got + z->n, s->in, n);
	z->n += n;
	s->in += n;
	s->in_n -= n;
}

static enum unpack_state step(void *state, struct unpack_step *s, const char **why)
{
	struct lzop *z = state;

	give(z, s);
	while (z->out_at == z->out_n) {
		gather(z, s);
		if (z->n < z->need)
			return UNPACK_MORE;
		bool end = z->part == OUT_SIZE && be32(z->got) == 0;
		*why = take_part(z);
		if (*why)
			return UNPACK_BAD;
		if (end)
			return UNPACK_END;
		give(z, s);
	}
	return UNPACK_MORE;
}

const struct unpacker_ops unpack_lzop = {open_lzop, close_lzop, step};
#endif
