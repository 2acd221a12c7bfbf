// SPDX-License-Identifier: LGPL-2.1-or-later
// bzip2 files, by libbz2; pbzip2 writes many streams, one behind the other.
#include "formats/unpack.h"

#ifdef HAVE_BZIP2
#include "src/base/mem.h"

#include <bzlib.h>

static void *open_bzip2(void)
{
	bz_stream *z = mem_zalloc(1, sizeof(*z));

	if (BZ2_bzDecompressInit(z, 0, 0) == BZ_OK)
		return z;
	mem_free(z);
	return NULL;
}

static void close_bzip2(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
	mem_free(state);
}

static bool restart(bz_stream *z)
{
	(void)BZ2_bzDecompressEnd(z);
	*z = (bz_stream){0};
	return BZ2_bzDecompressInit(z, 0, 0) == BZ_OK;
}

static enum unpack_state step(void *state, struct unpack_step *s, const char **why)
{
	bz_stream *z = state;

	z->next_in = (char *)(uintptr_t)s->in; // only read
	z->avail_in = (unsigned)s->in_n;
	z->next_out = (char *)s->out;
	z->avail_out = (unsigned)s->out_n;
	int r = BZ2_bzDecompress(z);
	s->in += s->in_n - z->avail_in;
	s->in_n = z->avail_in;
	s->out += s->out_n - z->avail_out;
	s->out_n = z->avail_out;
	if (r == BZ_OK)
		return UNPACK_MORE;
	*why = r == BZ_DATA_ERROR_MAGIC ? "what follows is not bzip2"
					: "the compressed data is damaged";
	return r == BZ_STREAM_END && restart(z) ? UNPACK_END : UNPACK_BAD;
}

const struct unpacker_ops unpack_bzip2 = {open_bzip2, close_bzip2, step};
#endif
