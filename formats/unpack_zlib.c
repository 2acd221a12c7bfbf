// SPDX-License-Identifier: LGPL-2.1-or-later
// gzip files and bare zlib streams, by zlib.
#include "formats/unpack.h"

#ifdef HAVE_ZLIB
#include "src/base/mem.h"

#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_ONLY = 16 }; // added to the size of the window (zlib.h, inflateInit2)

static void *open_with(int window)
{
	z_stream *z = mem_zalloc(1, sizeof(*z));

	if (inflateInit2(z, window) == Z_OK)
		return z;
	mem_free(z);
	return NULL;
}

static void *open_gzip(void)
{
	return open_with(MAX_WBITS + GZIP_ONLY);
}

static void *open_zlib(void)
{
	return open_with(MAX_WBITS);
}

static void close_zlib(void *state)
{
	(void)inflateEnd(state);
	mem_free(state);
}

static enum unpack_state step(void *state, struct unpack_step *s, const char **why)
{
	z_stream *z = state;

	z->next_in = s->in;
	z->avail_in = (uInt)s->in_n;
	z->next_out = s->out;
	z->avail_out = (uInt)s->out_n;
	int r = inflate(z, Z_NO_FLUSH);
	s->in = z->next_in;
	s->in_n = z->avail_in;
	s->out = z->next_out;
	s->out_n = z->avail_out;
	if (r == Z_OK || r == Z_BUF_ERROR)
		return UNPACK_MORE;
	*why = z->msg ? z->msg : "zlib can't go on";
	return r == Z_STREAM_END && inflateReset(z) == Z_OK ? UNPACK_END : UNPACK_BAD;
}

const struct unpacker_ops unpack_gzip = {open_gzip, close_zlib, step};
const struct unpacker_ops unpack_zlib = {open_zlib, close_zlib, step};
#endif
