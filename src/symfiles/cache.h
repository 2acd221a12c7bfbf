// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles kept from one run to the next, under $XDG_CACHE_HOME/vmiscan or ~/.cache/vmiscan.
//
// Keyed by build id, and by what types are asked for; made of one file, whose size and time are
// remembered, so that another file that claims the build id gets nothing of it. What is read back
// is checked like any input. Nothing here is an error: without a cache, all is made anew.
#ifndef VMI_SYMFILES_CACHE_H
#define VMI_SYMFILES_CACHE_H

#include "symbols/profile.h"

#include <stdbool.h>
#include <stdint.h>

struct cache_key {
	const char *build_id;
	uint64_t wants;		 // key of struct type_wants
	uint64_t size, mtime_ns; // of the file that it was made of
};

// The folder, made if need be; to be freed. NULL if there can be none.
char *cache_folder(void);

bool cache_get(const struct cache_key *k, struct profile **out);
// Written under another name and renamed: readers and other writers see the whole or nothing.
void cache_put(const struct cache_key *k, const struct profile *p);

#endif
