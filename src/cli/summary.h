// SPDX-License-Identifier: LGPL-2.1-or-later
// The screen that ends an analysis, for people or as JSON.
#ifndef VMI_CLI_SUMMARY_H
#define VMI_CLI_SUMMARY_H

#include "src/analyse/rows.h"
#include "src/cli/options.h"

struct summary {
	const struct options *opts;
	const struct analysis *analysis;
	const struct outcome *outcome;
	const struct tally *tally;
	int64_t duration_ns;
};

void summary_text(const struct summary *s, FILE *out);
void summary_json(const struct summary *s, FILE *out);

#endif
