// SPDX-License-Identifier: LGPL-2.1-or-later
// Caches of the slab allocator, by memory node.
#ifndef VMI_WALK_SLABS_H
#define VMI_WALK_SLABS_H

#include "src/kernel/kernel.h"

// The kmem_cache_node of a kmem_cache for memory node i, 0 for none; false beyond the last.
bool slab_node(struct kernel *k, uint64_t cache, size_t i, uint64_t *node);

#endif
