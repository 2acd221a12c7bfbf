// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the parts of a cache.
#include "src/walk/slabs.h"

// The array at a kmem_cache's end is declared longer than it is allocated.
static uint64_t nodes_in_use(struct kernel *k)
{
	uint64_t n;

	return k_variable(k, S(nr_node_ids), 4, &n) ? n : 1;
}

bool slab_node(struct kernel *k, uint64_t cache, size_t i, uint64_t *node)
{
	const struct field_place *parts = &k->field[F(kmem_cache, per_node)];

	*node = 0;
	if (i >= nodes_in_use(k))
		return false;
	if (!parts->present)
		return i < k->field[F(kmem_cache, node)].n_elem &&
		       k_get_at(k, cache, F(kmem_cache, node), i, node);
	return i < parts->n_elem && k_get(k, cache + parts->off + i * parts->elem_size,
					  F(kmem_cache_per_node_ptrs, node), node);
}
