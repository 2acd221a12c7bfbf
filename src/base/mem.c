// SPDX-License-Identifier: LGPL-2.1-or-later
// The only malloc of the project.
#include "src/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t limit = SIZE_MAX;
static size_t in_use;
static void (*exhausted)(size_t asked);

static _Noreturn void fail(size_t asked)
{
	limit = SIZE_MAX; // the handler itself may need a little
	if (exhausted)
		exhausted(asked);
	(void)fprintf(stderr, "vmiscan: out of memory (%zu bytes asked for)\n", asked);
	exit(70);
}

static void *counted(void *p, size_t asked)
{
	if (!p)
		fail(asked);
	in_use += malloc_usable_size(p);
	return p;
}

static void check_limit(size_t n)
{
	if (n > limit - (in_use < limit ? in_use : limit))
		fail(n);
}

void *mem_alloc(size_t n)
{
	check_limit(n);
	return counted(malloc(n ? n : 1), n);
}

void *mem_zalloc(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		fail(SIZE_MAX);
	check_limit(n);
	return counted(calloc(n ? n : 1, 1), n); // large ones are zeros as they come
}

void *mem_grow(void *p, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		fail(SIZE_MAX);
	size_t before = p ? malloc_usable_size(p) : 0;
	if (n > before)
		check_limit(n - before);
	in_use -= before;
	return counted(realloc(p, n ? n : 1), n);
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		fail(0);
	char *s = mem_alloc((size_t)n + 1);
	va_start(ap, fmt);
	(void)vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

void mem_free(void *p)
{
	if (p)
		in_use -= malloc_usable_size(p);
	free(p);
}

void mem_set_limit(size_t bytes)
{
	limit = bytes;
}

size_t mem_in_use(void)
{
	return in_use;
}

void mem_on_exhausted(void (*handler)(size_t))
{
	exhausted = handler;
}
