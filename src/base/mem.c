// SPDX-License-Identifier: LGPL-2.1-or-later
// The only malloc of the project.
#include "src/base/mem.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Before each piece of a pool.
struct mem_block {
	struct mem_block *before, *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

struct mem_held {
	struct mem_held *before, *next;
	void (*give_up)(void *what);
	void *what;
	bool holds;
};

// What is in no pool; its blocks are bare.
static struct mem_pool whole = {.limit = SIZE_MAX};
static void (*exhausted)(size_t asked);
static _Thread_local struct mem_pool *entered; // NULL: none

static struct mem_pool *current(void)
{
	return entered ? entered : &whole;
}

static _Noreturn void fail(size_t asked)
{
	struct mem_pool *p = entered;

	current()->limit = SIZE_MAX; // the handler itself may need a little
	if (exhausted)
		exhausted(asked);
	entered = NULL;
	if (p)
		longjmp(p->escape, 1);
	(void)fprintf(stderr, "vmiscan: out of memory (%zu bytes asked for)\n", asked);
	exit(70);
}

static void check_limit(size_t n)
{
	const struct mem_pool *p = current();

	if (n > p->limit - (p->in_use < p->limit ? p->in_use : p->limit))
		fail(n);
}

// --- pieces of a pool ---

static struct mem_block *block_of(void *p)
{
	return (struct mem_block *)((unsigned char *)p - offsetof(struct mem_block, bytes));
}

static void *link_block(struct mem_block *b, size_t n)
{
	*b = (struct mem_block){.next = entered->blocks, .size = n};
	if (b->next)
		b->next->before = b;
	entered->blocks = b;
	entered->in_use += n;
	return b->bytes;
}

static void unlink_block(const struct mem_block *b)
{
	if (b->before)
		b->before->next = b->next;
	else
		entered->blocks = b->next;
	if (b->next)
		b->next->before = b->before;
	entered->in_use -= b->size;
}

// --- whatever it is of ---

static size_t size_of(void *p)
{
	if (!p)
		return 0;
	return entered ? block_of(p)->size : malloc_usable_size(p);
}

static void *get(size_t n, bool zeros)
{
	size_t head = entered ? sizeof(struct mem_block) : 0, all;

	check_limit(n);
	void *p = __builtin_add_overflow(n ? n : 1, head, &all) ? NULL
		  : zeros ? calloc(all, 1)
			  : malloc(all);
	if (!p)
		fail(n);
	if (entered)
		return link_block(p, n);
	whole.in_use += malloc_usable_size(p);
	return p;
}

void *mem_alloc(size_t n)
{
	return get(n, false);
}

void *mem_zalloc(size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		fail(SIZE_MAX);
	return get(n, true); // large ones are zeros as they come
}

// realloc(); the old piece is out of the list meanwhile, and back in it if there is no room.
static void *resize_block(void *p, size_t n)
{
	struct mem_block *b = block_of(p), *moved = NULL;
	size_t before = b->size, all;

	unlink_block(b);
	if (!__builtin_add_overflow(n, sizeof(*b), &all))
		moved = realloc(b, all);
	if (!moved) {
		(void)link_block(b, before);
		fail(n);
	}
	return link_block(moved, n);
}

void *mem_grow(void *p, size_t count, size_t size)
{
	size_t n, before = size_of(p);

	if (__builtin_mul_overflow(count, size, &n))
		fail(SIZE_MAX);
	if (!p)
		return get(n, false);
	if (n > before)
		check_limit(n - before);
	if (entered)
		return resize_block(p, n);
	p = realloc(p, n ? n : 1);
	if (!p)
		fail(n);
	whole.in_use += malloc_usable_size(p) - before;
	return p;
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
	if (p && entered) {
		unlink_block(block_of(p));
		p = block_of(p);
	} else if (p) {
		whole.in_use -= malloc_usable_size(p);
	}
	free(p);
}

void mem_set_limit(size_t bytes)
{
	current()->limit = bytes;
}

size_t mem_in_use(void)
{
	return current()->in_use;
}

void mem_on_exhausted(void (*handler)(size_t))
{
	exhausted = handler;
}

void mem_pool_enter(struct mem_pool *p)
{
	entered = p;
}

void mem_pool_leave(void)
{
	entered = NULL;
}

// The last that was begun ends first.
static void give_up_held(struct mem_pool *p)
{
	for (struct mem_held *h = p->held; h; h = h->next)
		if (h->holds)
			h->give_up(h->what);
	p->held = NULL;
}

void mem_pool_fini(struct mem_pool *p)
{
	give_up_held(p);
	for (struct mem_block *b = p->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	p->blocks = NULL;
	p->in_use = 0;
}

// --- what is held ---

struct mem_held *mem_hold(void (*give_up)(void *what))
{
	struct mem_held *h = mem_zalloc(1, sizeof(*h));

	h->give_up = give_up;
	h->next = current()->held;
	if (h->next)
		h->next->before = h;
	current()->held = h;
	return h;
}

void mem_holds(struct mem_held *h, void *what)
{
	h->what = what;
	h->holds = true;
}

void mem_let_go(struct mem_held *h)
{
	if (!h)
		return;
	if (h->before)
		h->before->next = h->next;
	else
		current()->held = h->next;
	if (h->next)
		h->next->before = h->before;
	mem_free(h);
}
