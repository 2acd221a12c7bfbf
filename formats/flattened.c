// SPDX-License-Identifier: LGPL-2.1-or-later
// makedumpfile's flattened format (makedumpfile.h: struct makedumpfile_header and
// makedumpfile_data_header): 4096 bytes of header, then {be64 offset, be64 size, bytes} until an
// offset and a size of -1.
//
// A piece may lie over an earlier one, which it replaces: headers are written again at the end.
// What no piece has is zeros, as in the sparse file that makedumpfile -R would make.
#include "formats/flattened.h"

#include "formats/overlay.h"
#include "formats/probe.h"
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <elf.h>

#include <string.h>

enum {
	HEADER_SIZE = 4096,
	PIECE_HEADER = 16,
	PIECES_MAX = 1 << 24,
	STEP = 1 << 12, // pieces between two reports of progress
	SPREAD = 4,	// of a dump over its flattened file; writers leave no holes to speak of
};

static const char signature[16] = "makedumpfile";

struct flat_io {
	struct io io;
	struct io *file;
	struct overlay map; // place in the dump -> place in the file
};

struct indexing {
	struct io *file;
	const struct fmt_options *opts;
	struct overlay *map;
	uint64_t at;	// in the file
	uint64_t end;	// of the dump
	uint64_t count; // of pieces
	const char *damage;
};

bool flattened_is(const struct fmt_probe *p)
{
	return probe_has(p, 0, signature, sizeof(signature));
}

static struct err *check_header(struct io *io)
{
	uint8_t h[32];
	size_t got;

	TRY(io_read(io, 0, h, sizeof(h), &got));
	if (got < sizeof(h) || io->size <= HEADER_SIZE)
		return err_new(ERR_FORMAT, "a flattened dump, cut inside its header");
	if (be64(h + 16) != 1 || be64(h + 24) != 1)
		return err_new(ERR_UNSUPPORTED,
			       "a flattened dump of type %llu, version %llu; known is 1, 1",
			       (unsigned long long)be64(h + 16), (unsigned long long)be64(h + 24));
	return NULL;
}

// One piece; *more is false at the end, or where it can't go on.
static struct err *take_piece(struct indexing *x, bool *more)
{
	uint8_t h[PIECE_HEADER];
	size_t got;

	*more = false;
	TRY(io_read(x->file, x->at, h, sizeof(h), &got));
	uint64_t off = be64(h), size = be64(h + 8), left = x->file->size - x->at - PIECE_HEADER;
	if (got < sizeof(h)) {
		x->damage = "the flattened dump ends before its end mark";
	} else if (off == UINT64_MAX && size == UINT64_MAX) {
		return NULL;
	} else if (size > INT64_MAX || off > x->file->size * SPREAD) {
		x->damage = "the flattened dump has a piece that can't be";
	} else {
		if (size > left)
			x->damage = "the flattened dump ends inside a piece";
		*more = size <= left;
		size = size < left ? size : left;
		overlay_add(x->map, off, size, x->at + PIECE_HEADER);
		x->at += PIECE_HEADER + size;
		if (size > 0 && off + size > x->end)
			x->end = off + size;
	}
	return NULL;
}

static struct err *index_all(struct indexing *x)
{
	bool more = true;

	while (more) {
		TRY(take_piece(x, &more));
		if (++x->count > PIECES_MAX)
			return err_new(ERR_LIMIT,
				       "a flattened dump of more than %d pieces; make "
				       "it a plain one with makedumpfile -R",
				       PIECES_MAX);
		if (x->count % STEP == 0 && x->opts->progress)
			x->opts->progress(x->opts->progress_arg, "indexing", x->at, x->file->size);
	}
	overlay_settle(x->map);
	if (x->end == 0)
		return err_new(ERR_FORMAT, "a flattened dump without anything in it");
	return NULL;
}

// --- The dump as an io ---

// The bytes from off on that lie in one piece, or in one gap.
static struct err *read_piece(struct flat_io *f, uint64_t off, uint8_t *buf, size_t n, size_t *got)
{
	uint64_t from, left;
	bool here = overlay_find(&f->map, off, &from, &left);

	if (left < n)
		n = (size_t)left;
	if (here)
		return io_read(f->file, from, buf, n, got);
	memset(buf, 0, n);
	*got = n;
	return NULL;
}

static struct err *flat_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	struct flat_io *f = (struct flat_io *)io;
	size_t part = 1;

	for (*got = 0; *got < n && part > 0; *got += part)
		TRY(read_piece(f, off + *got, (uint8_t *)buf + *got, n - *got, &part));
	return NULL;
}

static void flat_close(struct io *io)
{
	struct flat_io *f = (struct flat_io *)io;

	overlay_fini(&f->map);
	io_close(f->file);
}

static const struct io_ops flat_ops = {flat_read, flat_close};

// Never raw memory: what looks so is the rest of a dump whose head was written last, or a flattened
// dump once more, which has a refusal of its own.
static struct err *check_content(struct io *io)
{
	uint8_t head[sizeof(signature)] = {0};
	size_t got;

	TRY(io_read(io, 0, head, sizeof(head), &got));
	if (memcmp(head, "KDUMP   ", 8) == 0 || memcmp(head, ELFMAG, SELFMAG) == 0 ||
	    memcmp(head, signature, sizeof(signature)) == 0)
		return NULL;
	return err_new(ERR_FORMAT, "a flattened dump without the head of a dump in it: is it cut?");
}

struct err *flattened_open(struct io **io, const struct fmt_options *opts, char **damage)
{
	struct flat_io *f = mem_zalloc(1, sizeof(*f));
	struct indexing x = {.file = *io, .opts = opts, .map = &f->map, .at = HEADER_SIZE};
	struct err *e = check_header(*io);

	f->io = (struct io){&flat_ops, mem_strdup((*io)->path), 0};
	f->file = *io;
	if (!e)
		e = index_all(&x);
	f->io.size = x.end;
	if (!e)
		e = check_content(&f->io);
	if (e) {
		f->file = NULL; // stays the caller's
		io_close(&f->io);
		return e;
	}
	*io = &f->io;
	*damage = x.damage ? mem_strdup(x.damage) : NULL;
	return NULL;
}
