// SPDX-License-Identifier: LGPL-2.1-or-later
// One call for four libraries, each of which may be missing from the build.
#include "formats/block.h"

#include "src/base/mem.h"

#include <stdint.h>

#ifdef HAVE_ZLIB
#define ZLIB_CONST
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

struct block_unpacker {
#ifdef HAVE_ZLIB
	z_stream zlib;
	bool zlib_ready;
#endif
#ifdef HAVE_LZO
	bool lzo_ready;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DCtx *zstd;
#endif
	char none; // a struct has a member, even without any library
};

#ifdef HAVE_ZLIB
static bool zlib_ready(struct block_unpacker *u)
{
	if (u->zlib_ready)
		return inflateReset(&u->zlib) == Z_OK;
	u->zlib_ready = inflateInit(&u->zlib) == Z_OK;
	return u->zlib_ready;
}

static void zlib_fini(struct block_unpacker *u)
{
	if (u->zlib_ready)
		(void)inflateEnd(&u->zlib);
}

static bool zlib_unpack(struct block_unpacker *u, const void *in, size_t n, void *out, size_t out_n)
{
	z_stream *z = &u->zlib;

	if (n > UINT32_MAX || out_n > UINT32_MAX || !zlib_ready(u))
		return false;
	z->next_in = in;
	z->avail_in = (uInt)n;
	z->next_out = out;
	z->avail_out = (uInt)out_n;
	return inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_out == 0;
}
#define ZLIB_CODEC zlib_unpack, zlib_fini
#else
#define ZLIB_CODEC NULL, NULL
#endif

#ifdef HAVE_LZO
static bool lzo_unpack(struct block_unpacker *u, const void *in, size_t n, void *out, size_t out_n)
{
	lzo_uint size = out_n;

	u->lzo_ready = u->lzo_ready || lzo_init() == LZO_E_OK;
	return u->lzo_ready && lzo1x_decompress_safe(in, n, out, &size, NULL) == LZO_E_OK &&
	       size == out_n;
}
#define LZO_CODEC lzo_unpack, NULL
#else
#define LZO_CODEC NULL, NULL
#endif

#ifdef HAVE_SNAPPY
static bool snappy_unpack(struct block_unpacker *u, const void *in, size_t n, void *out,
			  size_t out_n)
{
	size_t size;

	(void)u;
	if (snappy_uncompressed_length(in, n, &size) != SNAPPY_OK || size != out_n)
		return false;
	return snappy_uncompress(in, n, out, &size) == SNAPPY_OK && size == out_n;
}
#define SNAPPY_CODEC snappy_unpack, NULL
#else
#define SNAPPY_CODEC NULL, NULL
#endif

#ifdef HAVE_ZSTD
static void zstd_fini(struct block_unpacker *u)
{
	(void)ZSTD_freeDCtx(u->zstd);
}

static bool zstd_unpack(struct block_unpacker *u, const void *in, size_t n, void *out, size_t out_n)
{
	if (!u->zstd)
		u->zstd = ZSTD_createDCtx();
	return u->zstd && ZSTD_decompressDCtx(u->zstd, out, out_n, in, n) == out_n;
}
#define ZSTD_CODEC zstd_unpack, zstd_fini
#else
#define ZSTD_CODEC NULL, NULL
#endif

static const struct codec {
	const char *name, *library;
	bool (*unpack)(struct block_unpacker *u, const void *in, size_t n, void *out, size_t out_n);
	void (*fini)(struct block_unpacker *u);
} codecs[] = {
	[BLOCK_ZLIB] = {"zlib", "zlib", ZLIB_CODEC},
	[BLOCK_LZO] = {"lzo", "liblzo2", LZO_CODEC},
	[BLOCK_SNAPPY] = {"snappy", "libsnappy", SNAPPY_CODEC},
	[BLOCK_ZSTD] = {"zstd", "libzstd", ZSTD_CODEC},
};
enum { N_CODECS = sizeof(codecs) / sizeof(codecs[0]) };

struct block_unpacker *block_unpacker_new(void)
{
	return mem_zalloc(1, sizeof(struct block_unpacker)); // libraries are set up when needed
}

void block_unpacker_free(struct block_unpacker *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < N_CODECS; i++)
		if (codecs[i].fini)
			codecs[i].fini(u);
	mem_free(u);
}

bool block_unpack(struct block_unpacker *u, enum block_codec codec, const void *in, size_t n,
		  void *out, size_t out_n)
{
	return codecs[codec].unpack && codecs[codec].unpack(u, in, n, out, out_n);
}

const char *block_name(enum block_codec codec)
{
	return codecs[codec].name;
}

const char *block_lacks(enum block_codec codec)
{
	return codecs[codec].unpack ? NULL : codecs[codec].library;
}
