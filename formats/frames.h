// SPDX-License-Identifier: LGPL-2.1-or-later
// Pages that a container lists by frame number, in any order, to runs of physical memory.
//
// What comes later wins, as in the passes of a live save. Frames in a row whose bytes are in a row
// become one extent, so a list of a gigabyte's pages takes as little memory as it has breaks.
#ifndef VMI_FORMATS_FRAMES_H
#define VMI_FORMATS_FRAMES_H

#include "src/base/vec.h"
#include "src/phys/physmem.h"

struct frame_extent {
	uint64_t frame, n, off; // off: FRAMES_GONE where the container takes pages back
};

#define FRAMES_GONE UINT64_MAX
// x86-64 has at most 52 physical address bits.
#define FRAMES_END (UINT64_C(1) << 40)

// Zero-initialised is empty and ready.
struct frames {
	VEC(struct frame_extent) extents;
	uint64_t n_impossible; // that are beyond any memory, and were left out
	uint64_t n_replaced;   // after frames_settle(): given more than once
};

// The bytes of a frame are at off; or the frame is taken back.
void frames_add(struct frames *f, uint64_t frame, uint64_t off);
// Sorted runs of what is left, for the caller to mem_free(); NULL and 0 if there is nothing.
struct mem_run *frames_settle(struct frames *f, size_t *n_runs);
void frames_fini(struct frames *f);

#endif
