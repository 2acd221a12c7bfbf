// SPDX-License-Identifier: LGPL-2.1-or-later
// Looks for tasks in the slabs that task_structs are allocated from. Costs a few reads for each
// slab, not a pass over memory.
#include "src/kernel/iter.h"
#include "src/walk/slabs.h"
#include "src/walk/unlisted.h"

enum {
	SMALLEST_TASK = 1 << 10, // bytes; those of all kernels seen have some 4 KiB
	MAX_ORDER = 10,
	OO_SHIFT = 16, // struct kmem_cache_order_objects: mm/slub.c
	MAX_OBJECTS = (1 << OO_SHIFT) - 1,
	MAX_SLABS = 1 << 16,
	MAX_CHAIN = 1 << 10,
};

struct scan {
	struct walk *w;
	task_visit *visit;
	void *arg;
	uint64_t size, objects, bytes; // of an object; in a slab; of a slab
	struct u64map slabs;	       // that were looked at
	uint64_t left;		       // objects that may still be looked at: memory has no more
};

static void scan_slab(struct scan *s, uint64_t base)
{
	if (s->slabs.n >= MAX_SLABS || !k_plausible(s->w->k, base) ||
	    !u64map_add(&s->slabs, base, 0))
		return;
	for (uint64_t i = 0; i < s->objects && s->left; i++, s->left--)
		s->visit(s->arg, base + i * s->size, VIEW_TASK_SCAN);
}

// A slab is aligned to its size, as every block of the buddy allocator is.
static void scan_around(struct scan *s, uint64_t task)
{
	uint64_t base = task & ~(s->bytes - 1);

	if ((task - base) % s->size == 0)
		scan_slab(s, base);
}

// The slab of a struct slab or page, which lies in the array of all pages.
static void scan_page(struct scan *s, uint64_t page)
{
	uint64_t pa;

	if (page && k_page_pa(s->w->k, page, &pa))
		scan_slab(s, s->w->k->page_offset + pa);
}

// A slab was a kind of page until 5.17.
static enum field slab_link(const struct kernel *k)
{
	return k_has(k, F(slab, slab_list)) ? F(slab, slab_list) : F(page, slab_list);
}

static enum field slab_next(const struct kernel *k)
{
	return k_has(k, F(slab, slab_list)) ? F(slab, next) : F(page, next);
}

// Slabs that are not full, by node; others hang on CPUs.
static void scan_partial(struct scan *s, uint64_t node)
{
	struct kernel *k = s->w->k;
	struct list_iter it;
	uint64_t link;

	if (!node || !k_has(k, F(kmem_cache_node, partial)) || !k_has(k, slab_link(k)))
		return;
	list_begin(&it, k, k_field_va(k, node, F(kmem_cache_node, partial)), MAX_SLABS);
	while (list_next(&it, &link))
		scan_page(s, k_container(k, link, slab_link(k)));
}

static void scan_cpu(struct scan *s, uint64_t cpu_slab)
{
	struct kernel *k = s->w->k;
	uint64_t page = k_or0(k, cpu_slab, F(kmem_cache_cpu, partial));

	scan_page(s, k_or0(k, cpu_slab, F(kmem_cache_cpu, slab)));
	for (int i = 0; page && i < MAX_CHAIN; i++) {
		scan_page(s, page);
		page = k_or0(k, page, slab_next(k));
	}
}

// Until 6.18 a CPU has a slab of its own, and a chain of others that are not full.
static void scan_cpus(struct scan *s, uint64_t cache)
{
	struct kernel *k = s->w->k;
	uint64_t per_cpu = k_or0(k, cache, F(kmem_cache, per_cpu));

	for (size_t cpu = 0; per_cpu && cpu < k->n_cpus; cpu++)
		scan_cpu(s, k_percpu(k, per_cpu, cpu));
}

static bool measure(struct scan *s, uint64_t cache)
{
	struct kernel *k = s->w->k;
	uint64_t oo;

	if (!k_get(k, cache, F(kmem_cache, size), &s->size) ||
	    !k_get(k, cache, F(kmem_cache, oo), &oo) || oo >> OO_SHIFT > MAX_ORDER)
		return false;
	s->objects = oo & MAX_OBJECTS;
	s->bytes = 1ULL << (k->page_shift + (oo >> OO_SHIFT));
	return s->size >= SMALLEST_TASK && s->objects && s->size * s->objects <= s->bytes;
}

static void scan_slabs(struct scan *s)
{
	struct kernel *k = s->w->k;
	uint64_t cache, node;

	if (!k_has(k, F(kmem_cache, oo)) ||
	    !k_variable(k, S(task_struct_cachep), k->word, &cache) || !measure(s, cache))
		return;
	for (size_t i = 0, n = s->w->tasks->all.n; i < n; i++)
		scan_around(s, s->w->tasks->all.at[i].addr);
	for (size_t i = 0; slab_node(k, cache, i, &node); i++)
		scan_partial(s, node);
	scan_cpus(s, cache);
}

void task_scan(struct walk *w, task_visit *visit, void *arg)
{
	struct scan s = {.w = w, .visit = visit, .arg = arg, .left = w->ram_pages};

	scan_slabs(&s);
	u64map_fini(&s.slabs);
}
