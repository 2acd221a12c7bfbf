// SPDX-License-Identifier: LGPL-2.1-or-later
// A chain of blocks, filled from the front.
#include "src/base/arena.h"

#include "src/base/mem.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

static struct arena_block *block_new(size_t n, struct arena_block *next)
{
	size_t size = n > BLOCK_SIZE ? n : BLOCK_SIZE;
	struct arena_block *b = mem_alloc(sizeof(*b) + size);

	*b = (struct arena_block){.next = next, .size = size};
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n > PTRDIFF_MAX - BLOCK_SIZE) // what follows would wrap around
		return mem_zalloc(n, SIZE_MAX);
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->head || a->head->size - a->head->used < n)
		a->head = block_new(n, a->head);
	void *p = a->head->bytes + a->head->used;
	a->head->used += n;
	a->used += n;
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	size_t size = n < 0 ? 1 : (size_t)n + 1;
	char *s = arena_alloc(a, size);
	s[0] = '\0';
	va_start(ap, fmt);
	(void)vsnprintf(s, size, fmt, ap);
	va_end(ap);
	return s;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *d = arena_alloc(a, n + 1);

	memcpy(d, s, n);
	d[n] = '\0';
	return d;
}

void arena_reset(struct arena *a)
{
	while (a->head && a->head->next) {
		struct arena_block *b = a->head;
		a->head = b->next;
		mem_free(b);
	}
	if (a->head)
		a->head->used = 0;
	a->used = 0;
}

void arena_fini(struct arena *a)
{
	arena_reset(a);
	mem_free(a->head);
	a->head = NULL;
}
