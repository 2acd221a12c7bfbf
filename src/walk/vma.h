// SPDX-License-Identifier: LGPL-2.1-or-later
// Mappings of an address space.
#ifndef VMI_WALK_VMA_H
#define VMI_WALK_VMA_H

#include "src/walk/walk.h"

enum { MAX_VMAS = 1 << 21 }; // 32 times the default of vm.max_map_count

// Visits the vm_area_structs of an mm by address: its maple tree, or the list of kernels
// before 6.1.
// The visitor returns false to end it.
enum iter_end vma_each(struct walk *w, uint64_t mm, bool (*visit)(void *arg, uint64_t vma),
		       void *arg);

extern const struct extractor walk_memory_map, walk_page_map;

#endif
