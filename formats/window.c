// SPDX-License-Identifier: LGPL-2.1-or-later
// The window moves by one read; what is left of it moves to its front.
#include "formats/window.h"

#include "src/base/mem.h"

#include <string.h>

void window_init(struct window *w, struct io *io, uint64_t off)
{
	size_t room = io->size < WINDOW_SIZE ? (size_t)io->size : WINDOW_SIZE;

	*w = (struct window){.io = io, .off = off, .buf = mem_alloc(room), .room = room};
}

void window_fini(struct window *w)
{
	mem_free(w->buf);
	*w = (struct window){0};
}

void window_seek(struct window *w, uint64_t off)
{
	w->off = off;
	w->n = w->pos = 0;
}

bool window_fill(struct window *w, size_t n)
{
	size_t got;

	memmove(w->buf, w->buf + w->pos, w->n - w->pos);
	w->off += w->pos;
	w->n -= w->pos;
	w->pos = 0;
	// What the system can't read is not there, like what lies beyond the end.
	if (io_read(w->io, w->off + w->n, w->buf + w->n, w->room - w->n, &got))
		got = 0;
	w->n += got;
	return n <= w->n;
}

bool window_take(struct window *w, size_t n, const uint8_t **out)
{
	if (!window_need(w, n))
		return false;
	*out = window_at(w);
	w->pos += n;
	return true;
}
