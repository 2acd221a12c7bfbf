// SPDX-License-Identifier: LGPL-2.1-or-later
// A file without its first bytes, as a file.
#include "formats/slice.h"

#include "src/base/mem.h"

struct slice {
	struct io io;
	struct io *whole;
	uint64_t off;
};

static struct err *slice_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	const struct slice *s = (struct slice *)io;

	return io_read(s->whole, s->off + off, buf, n, got);
}

static void slice_close(struct io *io)
{
	io_close(((struct slice *)io)->whole);
}

static const struct io_ops slice_ops = {slice_read, slice_close};

struct io *slice_new(struct io *whole, uint64_t off)
{
	struct slice *s = mem_alloc(sizeof(*s));

	*s = (struct slice){{&slice_ops, mem_strdup(whole->path), whole->size - off}, whole, off};
	return &s->io;
}
