// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables of the file first, then those of the kernel, then what came of both.
#include "src/analyse/extract.h"

static bool wants_fields(const bool wanted[TABLE_COUNT])
{
	return wanted[TABLE_type_fields] || wanted[TABLE_problems];
}

void extract_tables(struct analysis *a, const struct outcome *o, const bool wanted[TABLE_COUNT],
		    struct sink *sink)
{
	if (wanted[TABLE_evidence])
		rows_evidence(a, o, sink);
	if (wanted[TABLE_memory_ranges])
		rows_memory_ranges(a, sink);
	if (wants_fields(wanted))
		rows_type_fields(a, sink);
	if (wanted[TABLE_vcpus])
		rows_vcpus(a, sink);
	analysis_walk(a, wanted, sink);
}

void extract_end(struct analysis *a, struct outcome *o, struct tally *t)
{
	rows_problems(a, o, &t->sink);
	rows_run(a, o, &t->sink);
	rows_coverage(a, o, t);
}
