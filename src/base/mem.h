// SPDX-License-Identifier: LGPL-2.1-or-later
// All heap memory of ours comes from here: counted, capped by --max-memory, never NULL.
//
// When the cap or the machine's memory is reached the handler set by mem_on_exhausted() runs; it
// must not return (the command line finishes the database with what was read, and exits).
#ifndef VMI_BASE_MEM_H
#define VMI_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_zalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, warn_unused_result));
void *mem_grow(void *p, size_t count, size_t size)
	__attribute__((returns_nonnull, warn_unused_result));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull, warn_unused_result));
char *mem_printf(const char *fmt, ...)
	__attribute__((malloc, returns_nonnull, warn_unused_result, format(printf, 1, 2)));
void mem_free(void *p);

void mem_set_limit(size_t bytes);
size_t mem_in_use(void);
void mem_on_exhausted(void (*handler)(size_t asked));

#endif
