// SPDX-License-Identifier: LGPL-2.1-or-later
// Sums over a series of snapshots: how often each class and each verdict occurs, with intervals.
#ifndef VMI_CLI_SERIES_H
#define VMI_CLI_SERIES_H

#include "src/cli/census.h"

#include <stdio.h>

enum { SERIES_VERDICTS = 4 };
extern const char *const series_verdicts[SERIES_VERDICTS]; // of run.atomicity

struct series {
	uint64_t snapshots, unreadable, tasks;
	uint64_t with[CENSUS_CLASSES];	   // snapshots that have a task of the class
	uint64_t tasks_of[CENSUS_CLASSES]; // over all snapshots
	uint64_t verdicts[SERIES_VERDICTS];
};

void series_add(struct series *s, const struct census *c, const char *verdict);

// What a share of k of n says of the share behind it, with 95 %: Wilson, "Probable Inference, the
// Law of Succession, and Statistical Inference" (1927). n of 0 tells nothing: from 0 to 1.
struct interval {
	double low, high;
};
struct interval wilson(uint64_t k, uint64_t n);

// The table for people.
void series_text(const struct series *s, FILE *out);

#endif
