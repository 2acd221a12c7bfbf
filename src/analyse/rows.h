// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables about the file and the run, which need no kernel: evidence, run, memory_ranges, vcpus,
// and the rows of coverage and problems that belong to them.
#ifndef VMI_ANALYSE_ROWS_H
#define VMI_ANALYSE_ROWS_H

#include "src/base/vec.h"
#include "src/analyse/analyse.h"
#include "src/analyse/tally.h"

// How the run went, for its row and the summary.
struct outcome {
	int64_t start_ns;	   // of the analyst's clock
	const char *sha256;	   // NULL: not asked for
	const char *beside_sha256; // of image->beside
	VEC(char *) part_sha256;   // of each --part; empty: not asked for
	size_t limit_bytes;	   // what was asked for when --max-memory was reached; 0: never
	bool partial;		   // the image is damaged, or something could not be read
	const char *argv;	   // a JSON array
};

int64_t wall_clock_ns(void);

// Why it is partial, for people.
const char *outcome_words(const struct analysis *a, const struct outcome *o);

// Each may be called with no image or no kernel yet (the memory limit can come at any time).
void rows_evidence(const struct analysis *a, const struct outcome *o, struct sink *sink);
void rows_memory_ranges(const struct analysis *a, struct sink *sink);
void rows_vcpus(struct analysis *a, struct sink *sink);
// What is wrong with the image or was cut short by a limit; sets partial.
void rows_problems(const struct analysis *a, struct outcome *o, struct sink *sink);
// Where each field is. Names files and types that disagree in problems.
void rows_type_fields(const struct analysis *a, struct sink *sink);
void rows_run(const struct analysis *a, const struct outcome *o, struct sink *sink);
// A row for every table that has none in coverage yet.
void rows_coverage(const struct analysis *a, const struct outcome *o, struct tally *t);

#endif
