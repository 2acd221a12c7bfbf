// SPDX-License-Identifier: LGPL-2.1-or-later
// Unpacks a whole file once, from front to back, to a scratch file; keeps what a damaged one gives.
#include "formats/unpack.h"

#include "formats/probe.h"
#include "formats/scratch.h"
#include "formats/unpack_limits.h"
#include "formats/zstd.h"
#include "formats/zstd_seek.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <string.h>

#ifdef HAVE_ZLIB
#define ZLIB(x) x
#else
#define ZLIB(x) 0
#endif
#ifdef HAVE_LZMA
#define LZMA(x) x
#else
#define LZMA(x) 0
#endif
#ifdef HAVE_BZIP2
#define BZIP2(x) x
#else
#define BZIP2(x) 0
#endif
#ifdef HAVE_ZSTD
#define ZSTD(x) x
#else
#define ZSTD(x) 0
#endif
#ifdef HAVE_LZO
#define LZO(x) x
#else
#define LZO(x) 0
#endif
#ifdef HAVE_SNAPPY
#define SNAPPY(x) x
#else
#define SNAPPY(x) 0
#endif

const struct fmt_library fmt_libraries[] = {
	{"zlib", ZLIB(1)},    {"liblzo2", LZO(1)},  {"libsnappy", SNAPPY(1)},
	{"libzstd", ZSTD(1)}, {"liblzma", LZMA(1)}, {"libbz2", BZIP2(1)},
	{NULL, false},
};

enum {
	IN_SIZE = 1 << 20,
	// Small: on an error zstd does not say how much of its output is good, and all is lost.
	OUT_SIZE = 64 << 10,
};

static const uint64_t CONTENT_MAX = UINT64_C(1) << UNPACK_CONTENT_LOG;

// --- Which is it ---

static bool is_gzip(const struct fmt_probe *p)
{
	return probe_has(p, 0, "\x1f\x8b\x08", 3);
}

static bool is_lzop(const struct fmt_probe *p)
{
	return probe_has(p, 0, "\x89LZO\0\r\n\x1a\n", 9);
}

static bool is_xz(const struct fmt_probe *p)
{
	return probe_has(p, 0, "\xfd\x37zXZ\0", 6);
}

static bool is_bzip2(const struct fmt_probe *p)
{
	return probe_has(p, 0, "BZh", 3) &&
	       (probe_has(p, 4, "1AY&SY", 6) || probe_has(p, 4, "\x17\x72\x45\x38\x50\x90", 6));
}

// .lzma has no magic: the usual properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, a size that
// is unknown or that of some memory (as xz judges it, liblzma's alone_decoder.c).
static bool is_lzma(const struct fmt_probe *p)
{
	if (p->head_size < 14 || p->head[0] != 0x5d || p->head[13] != 0)
		return false;
	uint32_t dict = le32(p->head + 1), low = dict & -dict, rest = dict - low;
	uint64_t size = le64(p->head + 5);
	return dict >= 1 << 12 && (rest == 0 || rest == low << 1) &&
	       (size == UINT64_MAX || (size >= PAGE_SIZE && size < CONTENT_MAX));
}

#ifdef HAVE_ZLIB
static bool begins_with_lime(const struct fmt_probe *p)
{
	uint8_t start[4] = {0};
	struct unpack_step s = {p->head, p->head_size, start, sizeof(start), false};
	void *z = unpack_zlib.open();
	const char *why;

	if (!z)
		return false;
	(void)unpack_zlib.step(z, &s, &why);
	unpack_zlib.close(z);
	return memcmp(start, "EMiL", 4) == 0;
}
#else
static bool begins_with_lime(const struct fmt_probe *p)
{
	(void)p;
	return true;
}
#endif

// LiME with compress=1: one zlib stream over the whole dump, window 2^11, no dictionary. Two bytes
// are no magic, so that it has to begin with a block of LiME as well.
static bool is_lime_zlib(const struct fmt_probe *p)
{
	const uint8_t *h = p->head;

	return p->head_size >= 3 && h[0] == 0x38 && (h[0] * 256 + h[1]) % 31 == 0 &&
	       (h[1] & 0x20) == 0 && (h[2] & 6) != 6 && begins_with_lime(p);
}

struct packing {
	const char *kind;
	bool (*is)(const struct fmt_probe *p);
	const struct unpacker_ops *ops; // NULL if this build lacks the library
	const char *library, *tool;
};

static const struct packing packings[] = {
	{"gzip", is_gzip, ZLIB(&unpack_gzip), "zlib", "gzip -d"},
	{"zlib", is_lime_zlib, ZLIB(&unpack_zlib), "zlib", "zlib-flate -uncompress"},
	{"xz", is_xz, LZMA(&unpack_xz), "liblzma", "xz -d"},
	{"lzma", is_lzma, LZMA(&unpack_lzma), "liblzma", "xz -d"},
	{"bzip2", is_bzip2, BZIP2(&unpack_bzip2), "libbz2", "bzip2 -d"},
	{"lzop", is_lzop, LZO(&unpack_lzop), "liblzo2", "lzop -d"},
	{"zstd", zstd_is, ZSTD(&unpack_zstd), "libzstd", "zstd -d --long=31"},
};

const struct packing *unpack_recognise(const struct fmt_probe *p)
{
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++)
		if (packings[i].is(p))
			return &packings[i];
	return NULL;
}

// --- Unpacking from front to back ---

struct unpacking {
	const struct packing *how;
	struct io *packed;
	const struct fmt_options *opts;
	struct scratch *scratch;
	void *state; // the library's
	struct mem_held *held;
	uint8_t *in, *out;
	size_t in_room;
	uint64_t done;	    // bytes of content
	bool in_stream;	    // between the start and the end of one
	bool over;	    // what follows is of no interest
	const char *damage; // set where it can't go on
	bool too_much;	    // that is for us, not for another tool
};

static void unpacking_fini(struct unpacking *u)
{
	mem_let_go(u->held);
	if (u->state)
		u->how->ops->close(u->state);
	mem_free(u->in);
	mem_free(u->out);
}

static struct err *keep(struct unpacking *u, size_t n)
{
	if (n > 0)
		TRY(scratch_write(u->scratch, u->done, u->out, n));
	u->done += n;
	if (u->done > CONTENT_MAX)
		return err_new(ERR_LIMIT, "it unpacks to more than %llu bytes",
			       (unsigned long long)CONTENT_MAX);
	return NULL;
}

// One call of the library. Files are padded with zeros on some media: that is not another stream.
static struct err *unpack_some(struct unpacking *u, struct unpack_step *s, bool *again)
{
	const char *why = NULL;

	u->over = !u->in_stream && u->done > 0 && s->in_n > 0 && *s->in == 0;
	*again = false;
	if (u->over)
		return NULL;
	s->out = u->out;
	s->out_n = OUT_SIZE;
	size_t left = s->in_n;
	enum unpack_state state = u->how->ops->step(u->state, s, &why);
	u->in_stream = state != UNPACK_END;
	if (state == UNPACK_BAD || state == UNPACK_TOO_MUCH) {
		u->too_much = state == UNPACK_TOO_MUCH;
		u->damage = why;
		return keep(u, OUT_SIZE - s->out_n);
	}
	*again = s->in_n > 0 || (state == UNPACK_MORE && s->out_n == 0);
	if (*again && s->in_n == left && s->out_n == OUT_SIZE && state == UNPACK_MORE) {
		u->damage = "the library makes nothing of it";
		*again = false;
	}
	return keep(u, OUT_SIZE - s->out_n);
}

// All that n bytes of input give.
static struct err *unpack_part(struct unpacking *u, size_t n, bool last)
{
	struct unpack_step s = {.in = u->in, .in_n = n, .last = last};
	bool again = true;

	while (again)
		TRY(unpack_some(u, &s, &again));
	return NULL;
}

static struct err *unpack_all(struct unpacking *u)
{
	uint64_t size = u->packed->size;
	size_t got;

	for (uint64_t off = 0; off < size && !u->damage && !u->over; off += got) {
		TRY(io_read(u->packed, off, u->in, u->in_room, &got));
		if (got == 0) {
			u->damage = "the compressed file can't be read further";
			return NULL;
		}
		TRY(unpack_part(u, got, off + got >= size));
		if (u->opts->progress)
			u->opts->progress(u->opts->progress_arg, "unpacking", off + got, size);
	}
	if (!u->damage && u->in_stream)
		u->damage = "the compressed file ends too early";
	return NULL;
}

static struct err *check_yield(const struct unpacking *u)
{
	if (u->done > 0)
		return NULL;
	if (u->too_much)
		return err_new(ERR_UNSUPPORTED,
			       "compressed with %s so that %s; unpack it with `%s`", u->how->kind,
			       u->damage, u->how->tool);
	return err_new(ERR_FORMAT, "compressed with %s, but nothing can be unpacked: %s",
		       u->how->kind, u->damage ? u->damage : "it is empty");
}

static struct err *unpack_with(struct unpacking *u, struct unpacked *out)
{
	u->in_room = u->packed->size < IN_SIZE ? (size_t)u->packed->size : IN_SIZE;
	u->in = mem_alloc(u->in_room);
	u->out = mem_alloc(OUT_SIZE);
	u->held = mem_hold(u->how->ops->close);
	u->state = u->how->ops->open();
	if (u->state)
		mem_holds(u->held, u->state);
	else
		return err_new(ERR_INTERNAL, "%s can't be set up", u->how->library);
	TRY(unpack_all(u));
	TRY(check_yield(u));
	TRY(scratch_set_size(u->scratch, u->done));
	out->kind = u->how->kind;
	out->damage = u->damage ? mem_printf("%s, after %llu bytes of unpacked memory", u->damage,
					     (unsigned long long)u->done)
				: NULL;
	out->io = scratch_io(u->scratch, u->packed->path, u->done);
	return NULL;
}

static struct err *unpack_to_scratch(const struct packing *k, struct io *packed,
				     const struct fmt_options *opts, struct unpacked *out)
{
	_cleanup_(scratch_fini) struct scratch scratch = {.fd = -1};
	struct unpacking u = {.how = k, .packed = packed, .opts = opts, .scratch = &scratch};

	TRY(scratch_init(&scratch));
	struct err *e = unpack_with(&u, out);
	unpacking_fini(&u);
	if (!e)
		io_close(packed);
	return e;
}

struct err *unpack_open(const struct packing *k, struct io *packed, const struct fmt_probe *p,
			const struct fmt_options *opts, struct unpacked *out)
{
	struct io *seekable = k->is == zstd_is ? zstd_seek_open(packed, p) : NULL;

	*out = (struct unpacked){seekable, "zstd-seekable", NULL};
	if (seekable)
		return NULL;
	if (!k->ops)
		return err_new(ERR_UNSUPPORTED,
			       "compressed with %s: this build of vmiscan lacks %s; build it where "
			       "that library is installed, or unpack the file with `%s`",
			       k->kind, k->library, k->tool);
	return unpack_to_scratch(k, packed, opts, out);
}
