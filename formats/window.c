// SPDX-License-Identifier: LGPL-2.1-or-later
// The window moves by one read, which starts at a page of the file and ends up at a page of memory:
// the kernel's copy is slower where the two differ.
#include "formats/window.h"

#include "src/base/mem.h"

void window_init(struct window *w, struct io *io, uint64_t off, size_t size)
{
	size_t room = io->size < size ? (size_t)io->size : size;

	*w = (struct window){.io = io, .off = off, .room = room};
	w->memory = mem_alloc(room < size ? room : room + WINDOW_ALIGN);
	w->buf = w->memory;
	if (room == size)
		w->buf += -(uintptr_t)w->memory % WINDOW_ALIGN;
}

void window_fini(struct window *w)
{
	mem_free(w->memory);
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

	uint64_t at = window_off(w);

	w->off = at / WINDOW_ALIGN * WINDOW_ALIGN;
	w->pos = (size_t)(at - w->off);
	// What the system can't read is not there, like what lies beyond the end.
	if (io_read(w->io, w->off, w->buf, w->room, &got))
		got = 0;
	w->n = got > w->pos ? got : w->pos;
	return n <= w->n - w->pos;
}

bool window_take(struct window *w, size_t n, const uint8_t **out)
{
	if (!window_need(w, n))
		return false;
	*out = window_at(w);
	w->pos += n;
	return true;
}
