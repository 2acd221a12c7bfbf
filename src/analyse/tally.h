// SPDX-License-Identifier: LGPL-2.1-or-later
// A sink in front of another one: passes rows on, and keeps the numbers and names that a summary
// needs, so that nobody has to read the database again.
#ifndef VMI_ANALYSE_TALLY_H
#define VMI_ANALYSE_TALLY_H

#include "schema/schema.h"

enum lifecycle { LIVE, FRESH, DYING, AS_GOOD_AS_DEAD, ZOMBIE, LIFECYCLE_COUNT };

extern const char *const lifecycle_names[LIFECYCLE_COUNT];

enum { TALLY_TEXT = 128 };

struct tally {
	struct sink sink; // first: emit() casts back
	struct sink *next;
	const bool *wanted; // [TABLE_COUNT]; rows of other tables end here
	bool without_times; // coverage.duration_ms is left out, for --reproducible
	uint64_t rows[TABLE_COUNT];
	bool covered[TABLE_COUNT]; // has its row in coverage
	uint64_t lifecycle[LIFECYCLE_COUNT], kthreads;
	uint64_t outside_processes, outside_threads; // forks in flight, remains of the dead
	uint64_t listening, established;	     // TCP
	uint64_t errors, warnings;		     // of problems
	uint64_t intrinsic, extrinsic;		     // of inconsistencies
	uint64_t partial, unavailable;		     // tables
	int64_t cpus, uptime;			     // -1: unknown
	char hostname[TALLY_TEXT], os_name[TALLY_TEXT], release[TALLY_TEXT], arch[TALLY_TEXT];
	char cpu[TALLY_TEXT], clock[TALLY_TEXT]; // "" : unknown
};

void tally_init(struct tally *t, struct sink *next, const bool *wanted, bool without_times);

#endif
