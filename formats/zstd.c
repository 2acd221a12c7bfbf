// SPDX-License-Identifier: LGPL-2.1-or-later
// zstd-compressed files: what is one, and its unpacking by libzstd.
#include "formats/zstd.h"

#include "formats/unpack.h"
#include "formats/unpack_limits.h"
#include "src/base/bytes.h"

static const uint32_t FRAME_MAGIC = 0xfd2fb528, SKIPPABLE_MAGIC = 0x184d2a50;
static const uint32_t SKIPPABLE_MASK = 0xfffffff0;

// A frame, perhaps after skippable ones (pzstd starts with one).
bool zstd_is(const struct fmt_probe *p)
{
	struct cursor c = cursor_over(p->head, p->head_size);
	const uint8_t *skipped;
	uint32_t magic, size;

	while (cursor_u32(&c, &magic)) {
		if (magic == FRAME_MAGIC)
			return true;
		if ((magic & SKIPPABLE_MASK) != SKIPPABLE_MAGIC || !cursor_u32(&c, &size) ||
		    !cursor_take(&c, size, &skipped))
			return false;
	}
	return false;
}

#ifdef HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

static void *open_zstd(void)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (z && !ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG)))
		return z;
	(void)ZSTD_freeDCtx(z);
	return NULL;
}

static void close_zstd(void *state)
{
	(void)ZSTD_freeDCtx(state);
}

static enum unpack_state fail(size_t result, const char **why)
{
	*why = "it takes a window of more than 128 MiB";
	if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
		return UNPACK_TOO_MUCH;
	*why = ZSTD_getErrorName(result);
	return UNPACK_BAD;
}

static enum unpack_state step(void *state, struct unpack_step *s, const char **why)
{
	ZSTD_inBuffer in = {s->in, s->in_n, 0};
	ZSTD_outBuffer out = {s->out, s->out_n, 0};
	size_t r = ZSTD_decompressStream(state, &out, &in);

	if (ZSTD_isError(r))
		return fail(r, why);
	s->in += in.pos;
	s->in_n -= in.pos;
	s->out += out.pos;
	s->out_n -= out.pos;
	return r == 0 ? UNPACK_END : UNPACK_MORE;
}

const struct unpacker_ops unpack_zstd = {open_zstd, close_zstd, step};
#endif
