// SPDX-License-Identifier: LGPL-2.1-or-later
// Pieces laid over each other: of two that hold the same place, the later one counts.
#ifndef VMI_FORMATS_OVERLAY_H
#define VMI_FORMATS_OVERLAY_H

#include "src/base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct overlay_piece {
	uint64_t at, size, from;
};

// Zero-initialised is empty and ready.
struct overlay {
	VEC(struct overlay_piece) pieces;
	size_t last; // where the last search ended
};

// In the order in which they count; at + size must not overflow. Empty ones are nothing.
void overlay_add(struct overlay *o, uint64_t at, uint64_t size, uint64_t from);
// When all are added, before the first search.
void overlay_settle(struct overlay *o);
void overlay_fini(struct overlay *o);

// Whether a piece holds `at`; *from is where that place comes from, *left how far the piece, or the
// gap, goes on.
bool overlay_find(struct overlay *o, uint64_t at, uint64_t *from, uint64_t *left);

#endif
