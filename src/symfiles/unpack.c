// SPDX-License-Identifier: LGPL-2.1-or-later
// The unpackers of formats/, from memory to memory; and lz4, which only kernels use.
#include "src/symfiles/unpack.h"

#include "formats/unpack.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <string.h>

#ifdef HAVE_LZ4
#include <lz4.h>
#endif

enum { FIRST_ROOM = 16 << 20, LZ4_BLOCK = 8 << 20 };

struct packer {
	const char *name, *magic;
	size_t magic_n;
	const struct unpacker_ops *ops; // NULL: not built in, or lz4
};

#ifdef HAVE_ZLIB
#define ZLIB(x) (x)
#else
#define ZLIB(x) NULL
#endif
#ifdef HAVE_LZMA
#define LZMA(x) (x)
#else
#define LZMA(x) NULL
#endif
#ifdef HAVE_BZIP2
#define BZIP2(x) (x)
#else
#define BZIP2(x) NULL
#endif
#ifdef HAVE_ZSTD
#define ZSTD(x) (x)
#else
#define ZSTD(x) NULL
#endif
#ifdef HAVE_LZO
#define LZO(x) (x)
#else
#define LZO(x) NULL
#endif

// scripts/Makefile.lib, 5.10 to 7.2
static const struct packer packers[] = {
	{"gzip", "\x1f\x8b\x08", 3, ZLIB(&unpack_gzip)},
	{"xz", "\xfd\x37zXZ\0", 6, LZMA(&unpack_xz)},
	{"lzma", "\x5d\0\0", 3, LZMA(&unpack_lzma)},
	{"zstd", "\x28\xb5\x2f\xfd", 4, ZSTD(&unpack_zstd)},
	{"bzip2", "BZh", 3, BZIP2(&unpack_bzip2)},
	{"lzo", "\x89LZO\0\r\n\x1a\n", 9, LZO(&unpack_lzop)},
	{"lz4", "\x02\x21\x4c\x18", 4, NULL},
};

static const struct packer *packer_of(const uint8_t *in, size_t n)
{
	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++)
		if (n > packers[i].magic_n && memcmp(in, packers[i].magic, packers[i].magic_n) == 0)
			return &packers[i];
	return NULL;
}

bool unpack_is_packed(const uint8_t *in, size_t n)
{
	return packer_of(in, n) != NULL;
}

// --- what grows ---

struct content {
	uint8_t *at;
	size_t n, room;
};

// Room for at least so much more; false at the bound.
static bool make_room(struct content *c, size_t more)
{
	size_t room = c->room ? c->room : FIRST_ROOM;

	if (c->n + more > UNPACK_BYTES_MOST)
		return false;
	while (room < c->n + more)
		room *= 2;
	if (room != c->room)
		c->at = mem_grow(c->at, room, 1);
	c->room = room;
	return true;
}

// --- one stream ---

static struct err *run(const struct packer *p, void *state, const uint8_t *in, size_t n,
		       struct content *c)
{
	struct unpack_step s = {.in = in, .in_n = n, .last = true};
	const char *why = "it ends too early";
	enum unpack_state now;

	do {
		if (!make_room(c, 1))
			return err_new(ERR_LIMIT, "it unpacks to more than %d MiB",
				       UNPACK_BYTES_MOST >> 20);
		size_t in_before = s.in_n, room = c->room - c->n;
		s.out = c->at + c->n;
		s.out_n = room;
		now = p->ops->step(state, &s, &why);
		c->n += room - s.out_n;
		if (now == UNPACK_MORE && s.in_n == in_before && s.out_n == room)
			now = UNPACK_BAD;
	} while (now == UNPACK_MORE);
	if (now == UNPACK_END)
		return NULL;
	return err_new(ERR_FORMAT, "it is packed with %s, and damaged: %s", p->name, why);
}

#ifdef HAVE_LZ4
// lz4 -l: a magic number, then blocks of 8 MiB, each behind its packed length.
static struct err *unpack_lz4(const uint8_t *in, size_t n, struct content *c)
{
	for (size_t at = 4; n - at > 4;) {
		size_t packed = le32(in + at);
		at += 4;
		if (packed == 0 || packed > n - at || packed > LZ4_COMPRESSBOUND(LZ4_BLOCK))
			break; // the kernel puts the content's size behind the last one
		if (!make_room(c, LZ4_BLOCK))
			return err_new(ERR_LIMIT, "it unpacks to too much");
		int got = LZ4_decompress_safe((const char *)in + at, (char *)c->at + c->n,
					      (int)packed, LZ4_BLOCK);
		if (got < 0)
			return err_new(ERR_FORMAT, "it is packed with lz4, and damaged");
		c->n += (size_t)got;
		at += packed;
	}
	return NULL;
}
#else
static struct err *unpack_lz4(const uint8_t *in, size_t n, struct content *c)
{
	(void)in;
	(void)n;
	(void)c;
	return err_new(ERR_UNSUPPORTED, "it is packed with lz4, and this vmiscan was built without "
					"liblz4");
}
#endif

static struct err *unpack_with(const struct packer *p, const uint8_t *in, size_t n,
			       struct content *c)
{
	if (strcmp(p->name, "lz4") == 0)
		return unpack_lz4(in, n, c);
	if (!p->ops)
		return err_new(ERR_UNSUPPORTED,
			       "it is packed with %s, and this vmiscan was built without it",
			       p->name);
	void *state = p->ops->open();
	if (!state)
		return err_new(ERR_INTERNAL, "%s can't be set up", p->name);
	struct err *e = run(p, state, in, n, c);
	p->ops->close(state);
	return e;
}

struct err *unpack_bytes(const uint8_t *in, size_t n, uint8_t **out, size_t *out_n)
{
	const struct packer *p = packer_of(in, n);
	struct content c = {0};

	if (!p)
		return err_new(ERR_UNSUPPORTED, "it is packed in an unknown way");
	struct err *e = unpack_with(p, in, n, &c);
	if (!e && c.n == 0)
		e = err_new(ERR_FORMAT, "it is packed with %s, and there is nothing in it",
			    p->name);
	if (e) {
		mem_free(c.at);
		return e;
	}
	*out = c.at;
	*out_n = c.n;
	return NULL;
}

// --- bzImage ---

// Documentation/arch/x86/boot.rst
enum {
	SETUP_SECTS = 0x1f1,
	HEADER = 0x202,
	VERSION = 0x206,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	WITH_PAYLOAD = 0x208, // the protocol that has the two
	HEAD_SIZE = 0x250,
	SECTOR = 512,
};

bool vmlinuz_payload(const uint8_t *in, size_t n, const uint8_t **payload, size_t *payload_n)
{
	if (n < HEAD_SIZE || memcmp(in + HEADER, "HdrS", 4) != 0 ||
	    le16(in + VERSION) < WITH_PAYLOAD)
		return false;
	uint64_t setup = in[SETUP_SECTS] ? in[SETUP_SECTS] : 4;
	uint64_t start = (setup + 1) * SECTOR + le32(in + PAYLOAD_OFFSET);
	uint64_t length = le32(in + PAYLOAD_LENGTH);
	if (start > n || length > n - start || length < 8)
		return false;
	*payload = in + start;
	*payload_n = length;
	// All but gzip, which has it itself, are followed by the content's size.
	if (memcmp(*payload, "\x1f\x8b", 2) != 0)
		*payload_n -= 4;
	return true;
}
