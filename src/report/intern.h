// SPDX-License-Identifier: LGPL-2.1-or-later
// Things that are kept once, however often they come: strings, rows.
#ifndef VMI_REPORT_INTERN_H
#define VMI_REPORT_INTERN_H

#include "src/base/arena.h"
#include "src/base/u64map.h"
#include "src/base/vec.h"

struct interned {
	const char *p;
	size_t n;
};

// Zero-initialised is empty and ready.
struct intern {
	struct u64map ids;
	VEC(struct interned) all; // by id
	struct arena bytes;
};

// The id of these bytes, which are copied if they are new.
size_t intern(struct intern *t, const void *p, size_t n);
void intern_fini(struct intern *t);

#endif
