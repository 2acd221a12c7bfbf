// SPDX-License-Identifier: LGPL-2.1-or-later
// Compressed clusters of qcow2: raw deflate with a window of 4 KiB, or a zstd frame; what follows
// up to the end of the last sector is somebody else's.
#include "formats/qcow2.h"

#ifdef HAVE_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#ifdef HAVE_ZLIB
enum { WINDOW_BITS = -12 }; // QEMU block/qcow2-threads.c

static bool unpack_zlib(const uint8_t *in, size_t n, uint8_t *out, size_t out_n)
{
	z_stream z = {.next_in = in, .avail_in = (uInt)n};

	z.next_out = out;
	z.avail_out = (uInt)out_n;
	if (inflateInit2(&z, WINDOW_BITS) != Z_OK)
		return false;
	int status = inflate(&z, Z_FINISH);
	(void)inflateEnd(&z);
	return (status == Z_STREAM_END || status == Z_BUF_ERROR) && z.avail_out == 0;
}
#endif

#ifdef HAVE_ZSTD
static bool unpack_zstd(const uint8_t *in, size_t n, uint8_t *out, size_t out_n)
{
	ZSTD_DCtx *ctx = ZSTD_createDCtx();
	ZSTD_inBuffer from = {in, n, 0};
	ZSTD_outBuffer to = {NULL, out_n, 0};
	size_t state = 1;

	to.dst = out;
	while (ctx && to.pos < to.size && state != 0 && !ZSTD_isError(state)) {
		size_t before = from.pos + to.pos;
		state = ZSTD_decompressStream(ctx, &to, &from);
		if (from.pos + to.pos == before)
			break;
	}
	(void)ZSTD_freeDCtx(ctx);
	return to.pos == out_n && !ZSTD_isError(state);
}
#endif

bool qcow2_unpack(enum qcow2_compression kind, const uint8_t *in, size_t n, uint8_t *out,
		  size_t out_n)
{
	(void)kind, (void)in, (void)n, (void)out, (void)out_n; // where both are missing
#ifdef HAVE_ZLIB
	if (kind == QCOW2_ZLIB)
		return unpack_zlib(in, n, out, out_n);
#endif
#ifdef HAVE_ZSTD
	if (kind == QCOW2_ZSTD)
		return unpack_zstd(in, n, out, out_n);
#endif
	return false;
}

const char *qcow2_lacks(enum qcow2_compression kind)
{
#ifndef HAVE_ZLIB
	if (kind == QCOW2_ZLIB)
		return "zlib";
#endif
#ifndef HAVE_ZSTD
	if (kind == QCOW2_ZSTD)
		return "libzstd";
#endif
	(void)kind;
	return NULL;
}
