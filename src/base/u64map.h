// SPDX-License-Identifier: LGPL-2.1-or-later
// A hash map from uint64_t to uint64_t: visited sets, address indexes. Key 0 is allowed.
#ifndef VMI_BASE_U64MAP_H
#define VMI_BASE_U64MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Zero-initialised is empty and ready.
struct u64map {
	struct u64map_slot *slots;
	size_t n, cap;
};

// Adds key with value unless it is there; true if it was new.
bool u64map_add(struct u64map *m, uint64_t key, uint64_t value);
// The value's place, or NULL; valid until the next add.
uint64_t *u64map_get(const struct u64map *m, uint64_t key);
void u64map_clear(struct u64map *m);
void u64map_fini(struct u64map *m);

#endif
