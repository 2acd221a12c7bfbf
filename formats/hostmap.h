// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames of the host to frames of a paravirtual guest, in runs.
#ifndef VMI_FORMATS_HOSTMAP_H
#define VMI_FORMATS_HOSTMAP_H

#include "src/base/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct hostmap_run {
	uint64_t host, guest, n;
};

// Zero-initialised is empty and ready.
struct hostmap {
	VEC(struct hostmap_run) runs;
};

void hostmap_add(struct hostmap *m, uint64_t host, uint64_t guest);
// After the last add, before the first find. Where two guest frames claim one of the host, which is
// not for a sound container to have, either is found.
void hostmap_sort(struct hostmap *m);
bool hostmap_find(const struct hostmap *m, uint64_t host, uint64_t *guest);
void hostmap_fini(struct hostmap *m);

#endif
