// SPDX-License-Identifier: LGPL-2.1-or-later
// All heap memory of ours comes from here: counted, capped by --max-memory, never NULL.
//
// When the cap or the machine's memory is reached the handler set by mem_on_exhausted() runs; it
// must not return (the command line finishes the database with what was read, and exits). A pool,
// further down, is for those who can't exit.
#ifndef VMI_BASE_MEM_H
#define VMI_BASE_MEM_H

#include <setjmp.h>
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

// --- for who must live on when memory ends: a guest in somebody else's process ---

// Zero-initialised but for the limit is empty and ready.
struct mem_pool {
	struct mem_block *blocks;
	struct mem_held *held;
	size_t limit, in_use;
	jmp_buf escape; // where to go when memory ends; set it before mem_pool_enter()
};

// From here to mem_pool_leave() this thread's memory comes from the pool, and goes back to it: what
// was allocated within a pool must be freed within it. Pools are not entered twice.
void mem_pool_enter(struct mem_pool *p);
void mem_pool_leave(void);
// Frees whatever is left of it, and gives up what is held. Nothing may use any of that after this.
void mem_pool_fini(struct mem_pool *p);

// What is no memory, but is to end with a pool that nobody comes back to: an open file, a process,
// a library's state. A place for it is made before there is anything to lose, and let go by who
// gives it up himself; let go in the pool that it was made in. NULL is let go, too.
struct mem_held *mem_hold(void (*give_up)(void *what));
void mem_holds(struct mem_held *h, void *what);
void mem_let_go(struct mem_held *h);

#endif
