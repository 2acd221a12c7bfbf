// SPDX-License-Identifier: LGPL-2.1-or-later
// Files compressed with zstd: read at random if they have a seek table, else unpacked once.
#include "formats/zstd.h"

#include "formats/scratch.h"
#include "formats/zstd_seek.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <zstd.h>
#include <zstd_errors.h>

enum {
	WINDOW_LOG_MAX = 27, // 128 MiB, what `zstd -d` takes without being told to
	IN_SIZE = 1 << 20,
};

// No guest has as much; what goes on is a bomb.
static const uint64_t CONTENT_MAX = UINT64_C(64) << 40;

// A frame, perhaps after skippable ones (pzstd starts with one).
bool zstd_is(const struct fmt_probe *p)
{
	struct cursor c = cursor_over(p->head, p->head_size);
	const uint8_t *skipped;
	uint32_t magic, size;

	while (cursor_u32(&c, &magic)) {
		if (magic == ZSTD_MAGICNUMBER)
			return true;
		if ((magic & ZSTD_MAGIC_SKIPPABLE_MASK) != ZSTD_MAGIC_SKIPPABLE_START ||
		    !cursor_u32(&c, &size) || !cursor_take(&c, size, &skipped))
			return false;
	}
	return false;
}

// --- Unpacking from front to back ---

struct unpacker {
	struct io *packed;
	const struct fmt_options *opts;
	struct scratch *scratch;
	ZSTD_DCtx *ctx;
	uint8_t *in, *out;
	uint64_t done; // bytes of content
	size_t state;  // what the last call said: 0 is the end of a frame, else an error or a hint
	const char *damage; // set where it can't go on
};

static void unpacker_fini(struct unpacker *u)
{
	(void)ZSTD_freeDCtx(u->ctx);
	mem_free(u->in);
	mem_free(u->out);
}

static struct err *unpacker_init(struct unpacker *u)
{
	u->ctx = ZSTD_createDCtx();
	u->in = mem_alloc(IN_SIZE);
	// Small: on an error zstd does not say how much of its output is good, and all is lost.
	u->out = mem_alloc(ZSTD_DStreamOutSize());
	if (!u->ctx ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(u->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		return err_new(ERR_INTERNAL, "libzstd can't be set up");
	return NULL;
}

static struct err *keep(struct unpacker *u, size_t n)
{
	TRY(scratch_write(u->scratch, u->done, u->out, n));
	u->done += n;
	if (u->done > CONTENT_MAX)
		return err_new(ERR_LIMIT, "it unpacks to more than 64 TiB");
	return NULL;
}

// All that n bytes of input give.
static struct err *unpack_part(struct unpacker *u, size_t n)
{
	ZSTD_inBuffer in = {u->in, n, 0};
	ZSTD_outBuffer out;

	do {
		out = (ZSTD_outBuffer){u->out, ZSTD_DStreamOutSize(), 0};
		u->state = ZSTD_decompressStream(u->ctx, &out, &in);
		if (ZSTD_isError(u->state)) {
			u->damage = ZSTD_getErrorName(u->state);
			return NULL;
		}
		TRY(keep(u, out.pos));
	} while (in.pos < in.size || (u->state != 0 && out.pos == out.size));
	return NULL;
}

static struct err *unpack_all(struct unpacker *u)
{
	size_t got;

	for (uint64_t off = 0; off < u->packed->size && !u->damage; off += got) {
		TRY(io_read(u->packed, off, u->in, IN_SIZE, &got));
		if (got == 0) {
			u->damage = "the compressed file can't be read further";
			return NULL;
		}
		TRY(unpack_part(u, got));
		if (u->opts->progress)
			u->opts->progress(u->opts->progress_arg, "unpacking", off + got,
					  u->packed->size);
	}
	if (!u->damage && u->state != 0)
		u->damage = "the compressed file ends too early";
	return NULL;
}

static struct err *check_yield(const struct unpacker *u)
{
	if (u->done > 0)
		return NULL;
	if (ZSTD_getErrorCode(u->state) == ZSTD_error_frameParameter_windowTooLarge)
		return err_new(ERR_UNSUPPORTED, "compressed with a window of more than 128 MiB; "
						"unpack it with `zstd -d --long=31`");
	return err_new(ERR_FORMAT, "compressed with zstd, but nothing can be unpacked: %s",
		       u->damage ? u->damage : "it is empty");
}

static struct err *unpack_with(struct unpacker *u, struct zstd_view *out)
{
	TRY(unpacker_init(u));
	TRY(unpack_all(u));
	TRY(check_yield(u));
	TRY(scratch_set_size(u->scratch, u->done));
	out->kind = "zstd";
	out->damage = u->damage ? mem_printf("%s, after %llu bytes of unpacked memory", u->damage,
					     (unsigned long long)u->done)
				: NULL;
	out->io = io_from_fd(u->scratch->fd, u->packed->path, u->done);
	u->scratch->fd = -1;
	return NULL;
}

static struct err *unpack(struct io *packed, const struct fmt_options *opts, struct zstd_view *out)
{
	_cleanup_(scratch_fini) struct scratch scratch = {.fd = -1};
	struct unpacker u = {.packed = packed, .opts = opts, .scratch = &scratch};

	TRY(scratch_init(&scratch));
	struct err *e = unpack_with(&u, out);
	unpacker_fini(&u);
	if (!e)
		io_close(packed);
	return e;
}

struct err *zstd_open(struct io *packed, const struct fmt_probe *p, const struct fmt_options *opts,
		      struct zstd_view *out)
{
	struct io *seekable = zstd_seek_open(packed, p);

	if (!seekable)
		return unpack(packed, opts, out);
	*out = (struct zstd_view){seekable, "zstd-seekable", NULL};
	return NULL;
}
