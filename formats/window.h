// SPDX-License-Identifier: LGPL-2.1-or-later
// A file read from front to back, a window at a time: what a stream without an index needs.
#ifndef VMI_FORMATS_WINDOW_H
#define VMI_FORMATS_WINDOW_H

#include "src/phys/io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WINDOW_SIZE = 256 << 10, // fits the second-level cache with what the kernel copies
	WINDOW_ALIGN = 4096,
};

struct window {
	struct io *io;
	uint64_t off; // of buf[0] in the io
	uint8_t *buf; // in `memory`
	void *memory;
	size_t room, n, pos; // room: of buf
};

// size: of the window, WINDOW_SIZE for a file that is read from front to back.
void window_init(struct window *w, struct io *io, uint64_t off, size_t size);
void window_fini(struct window *w);

// Reads on until n bytes are there; false if there are fewer. n <= the window's size -
// WINDOW_ALIGN.
bool window_fill(struct window *w, size_t n);

// n bytes from the position on are at window_at(); the position stays.
static inline bool window_need(struct window *w, size_t n)
{
	return n <= w->n - w->pos || window_fill(w, n);
}

static inline const uint8_t *window_at(const struct window *w)
{
	return w->buf + w->pos;
}

static inline uint64_t window_off(const struct window *w)
{
	return w->off + w->pos;
}

void window_seek(struct window *w, uint64_t off);

// Goes n bytes on; also past the end, where nothing is.
static inline void window_skip(struct window *w, uint64_t n)
{
	if (n <= w->n - w->pos)
		w->pos += (size_t)n;
	else
		window_seek(w, n <= UINT64_MAX - window_off(w) ? window_off(w) + n : UINT64_MAX);
}

// The same as a take: false, and no move, if there are fewer than n bytes.
bool window_take(struct window *w, size_t n, const uint8_t **out);

#endif
