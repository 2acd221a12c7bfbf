// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts the tasks of one snapshot that are of each class of `inconsistencies`: a sink that keeps
// nothing else.
#ifndef VMI_CLI_CENSUS_H
#define VMI_CLI_CENSUS_H

#include "schema/schema.h"
#include "src/base/u64map.h"

enum { CENSUS_CLASSES = 9 };

// As in the columns of `inconsistencies`; class is NULL for any of that scope.
struct census_class {
	const char *scope, *class;
};
extern const struct census_class census_classes[CENSUS_CLASSES];

struct census {
	struct sink sink; // first: emit() casts back
	uint64_t tasks;	  // without forks that are not listed yet and remains of the dead
	struct u64map of[CENSUS_CLASSES]; // addresses of tasks; .n is how many
};

void census_init(struct census *c);
void census_fini(struct census *c);

// The tables that it needs, and no other.
void census_wanted(bool wanted[static TABLE_COUNT]);

#endif
