// SPDX-License-Identifier: LGPL-2.1-or-later
// Slabs that some objects of are free: how many are in use, and how long the list of the others is.
// mm/slub.c; on_freelist() checks the same.
#include "src/check/atomicity.h"

#include "src/kernel/iter.h"
#include "src/walk/slabs.h"

#include <inttypes.h>

enum { MAX_CACHES = 1 << 14, MAX_SLABS = 1 << 16 };

// Fields of struct slab, or of struct page until 5.17.
struct slab_fields {
	enum field list, freelist, inuse, objects, frozen;
};

static struct slab_fields fields_of(const struct kernel *k)
{
	if (k_has(k, F(slab, slab_list)))
		return (struct slab_fields){F(slab, slab_list), F(slab, freelist), F(slab, inuse),
					    F(slab, objects), F(slab, frozen)};
	return (struct slab_fields){F(page, slab_list), F(page, freelist), F(page, inuse),
				    F(page, objects), F(page, frozen)};
}

struct caches {
	struct atomicity *a;
	struct slab_fields f;
	uint64_t offset,
		random; // of the cache at hand: where in an object the next one's address is
	bool hardened;
};

// Whether the top byte alone is wrong, in an address or in the end of the list: arm64 ignores it,
// and free objects of its 7.2 have been seen with such; what the list was can't be told then.
static bool is_tagged(uint64_t object, uint64_t next)
{
	uint64_t rest = next << 8, top = object >> 56;

	return next >> 56 != top && next && (rest == 0 || rest >> 56 == (object << 8) >> 56);
}

// freelist_ptr_decode(): with SLAB_FREELIST_HARDENED the pointer is mixed with a number of the
// cache and with its own address (the latter swapped since 5.7).
static bool next_free(const struct caches *c, uint64_t object, uint64_t *next)
{
	uint64_t at = object + c->offset;

	if (!k_ptr(c->a->w->k, at, next))
		return false;
	if (c->hardened)
		*next ^= c->random ^ __builtin_bswap64(at);
	return !is_tagged(object, *next);
}

// How many objects the list has; false if it can't be told. A list that leads elsewhere has more
// than any slab.
static bool count_free(const struct caches *c, uint64_t first, uint64_t most, uint64_t *n)
{
	for (*n = 0; first && *n <= most && c->a->budget; ++*n, c->a->budget--) {
		if (!k_plausible(c->a->w->k, first))
			*n = most;
		else if (!next_free(c, first, &first))
			return false;
	}
	return c->a->budget != 0;
}

static void check_slab(struct caches *c, uint64_t slab, enum lock_state lock)
{
	struct kernel *k = c->a->w->k;
	struct violation v = {.rule = INV_slab_counts, .lock = lock};
	uint64_t first, inuse, objects, frozen, n;

	if (!k_get(k, slab, c->f.freelist, &first) || !k_get(k, slab, c->f.inuse, &inuse) ||
	    !k_get(k, slab, c->f.objects, &objects) || !k_get(k, slab, c->f.frozen, &frozen) ||
	    frozen || !count_free(c, first, objects, &n))
		rule_unevaluable(c->a, v.rule);
	else
		rule_equal(c->a, &v, "objects", objects, "inuse+free", inuse + n);
}

static void check_node(struct caches *c, uint64_t node)
{
	struct kernel *k = c->a->w->k;
	enum lock_state lock = k_spinlock(k, k_field_va(k, node, F(kmem_cache_node, list_lock)));
	struct list_iter it;
	uint64_t link;

	list_begin(&it, k, k_field_va(k, node, F(kmem_cache_node, partial)), MAX_SLABS);
	while (c->a->budget && list_next(&it, &link)) {
		c->a->budget--;
		check_slab(c, k_container(k, link, c->f.list), lock);
	}
}

static void check_cache(struct caches *c, uint64_t cache)
{
	struct kernel *k = c->a->w->k;
	uint64_t node;

	c->hardened = k_has(k, F(kmem_cache, random));
	if (!k_get(k, cache, F(kmem_cache, offset), &c->offset) ||
	    (c->hardened && !k_get(k, cache, F(kmem_cache, random), &c->random)))
		return;
	for (size_t i = 0; slab_node(k, cache, i, &node); i++)
		if (k_plausible(k, node))
			check_node(c, node);
}

void atomicity_of_slabs(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	struct caches c = {.a = a, .f = fields_of(k)};
	uint64_t head = k->symbol[S(slab_caches)], link;
	struct list_iter it;

	if (head && k->word == 8 && k_has(k, F(kmem_cache, list)) &&
	    k_has(k, F(kmem_cache_node, partial))) {
		list_begin(&it, k, head, MAX_CACHES);
		while (a->budget && list_next(&it, &link))
			check_cache(&c, k_container(k, link, F(kmem_cache, list)));
	}
	if (a->of[INV_slab_counts].evaluated == 0)
		rule_unevaluable(a, INV_slab_counts);
}
