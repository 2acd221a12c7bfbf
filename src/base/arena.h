// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory that is given up all at once: what a row or an extractor needs until it is done.
#ifndef VMI_BASE_ARENA_H
#define VMI_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

// Zero-initialised is empty and ready.
struct arena {
	struct arena_block *head;
	size_t used;
};

void *arena_alloc(struct arena *a, size_t n) __attribute__((returns_nonnull, warn_unused_result));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((returns_nonnull, warn_unused_result, format(printf, 2, 3)));
char *arena_strndup(struct arena *a, const char *s, size_t n)
	__attribute__((returns_nonnull, warn_unused_result));
// Everything handed out is gone; the first block stays for the next round.
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
