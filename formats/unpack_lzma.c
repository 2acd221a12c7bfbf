// SPDX-License-Identifier: LGPL-2.1-or-later
// .xz and .lzma files, by liblzma.
#include "formats/unpack.h"

#include "formats/unpack_limits.h"

#ifdef HAVE_LZMA
#include "src/base/mem.h"

#include <lzma.h>

static const uint64_t MEMORY_MAX = UINT64_C(1) << UNPACK_MEMORY_LOG;

static void *finish(lzma_stream *z, lzma_ret r)
{
	if (r == LZMA_OK)
		return z;
	mem_free(z);
	return NULL;
}

static void *open_xz(void)
{
	lzma_stream *z = mem_zalloc(1, sizeof(*z));

	return finish(z, lzma_stream_decoder(z, MEMORY_MAX, LZMA_CONCATENATED));
}

static void *open_lzma(void)
{
	lzma_stream *z = mem_zalloc(1, sizeof(*z));

	return finish(z, lzma_alone_decoder(z, MEMORY_MAX));
}

static void close_lzma(void *state)
{
	lzma_end(state);
	mem_free(state);
}

static const char *words(lzma_ret r)
{
	switch ((int)r) {
	case LZMA_MEMLIMIT_ERROR:
		return "it takes more than 256 MiB to unpack";
	case LZMA_OPTIONS_ERROR:
		return "packed with options that liblzma does not know";
	case LZMA_BUF_ERROR:
		return "the compressed file ends too early";
	case LZMA_FORMAT_ERROR:
		return "what follows is not of this format";
	default:
		return "the compressed data is damaged";
	}
}

static enum unpack_state step(void *state, struct unpack_step *s, const char **why)
{
	lzma_stream *z = state;

	z->next_in = s->in;
	z->avail_in = s->in_n;
	z->next_out = s->out;
	z->avail_out = s->out_n;
	lzma_ret r = lzma_code(z, s->last ? LZMA_FINISH : LZMA_RUN);
	s->in = z->next_in;
	s->in_n = z->avail_in;
	s->out = z->next_out;
	s->out_n = z->avail_out;
	if (r == LZMA_STREAM_END) {
		s->in_n = 0; // .xz files are joined by the library; .lzma files have nothing behind
		return UNPACK_END;
	}
	*why = words(r);
	if (r == LZMA_MEMLIMIT_ERROR)
		return UNPACK_TOO_MUCH;
	return r == LZMA_OK ? UNPACK_MORE : UNPACK_BAD;
}

const struct unpacker_ops unpack_xz = {open_xz, close_lzma, step};
const struct unpacker_ops unpack_lzma = {open_lzma, close_lzma, step};
#endif
