// SPDX-License-Identifier: LGPL-2.1-or-later
// A set of page numbers that only grows; costs memory by what is in it, not by how far apart.
#ifndef VMI_PHYS_PAGESET_H
#define VMI_PHYS_PAGESET_H

#include "src/base/u64map.h"
#include "src/base/vec.h"

enum { PAGESET_CHUNK_PAGES = 512 };

struct pageset_chunk {
	uint64_t word[PAGESET_CHUNK_PAGES / 64];
};

// Zero-initialised is empty and ready.
struct pageset {
	struct u64map index; // page / PAGESET_CHUNK_PAGES -> place in chunks
	VEC(struct pageset_chunk) chunks;
	uint64_t n; // distinct pages in the set
};

void pageset_add(struct pageset *s, uint64_t first, uint64_t count);
bool pageset_has(const struct pageset *s, uint64_t page);
void pageset_fini(struct pageset *s);

#endif
