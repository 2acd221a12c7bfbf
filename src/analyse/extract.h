// SPDX-License-Identifier: LGPL-2.1-or-later
// "These tables of this image into that sink": what every user of an analysis does with it.
//
//	analysis_init(&a, &options);
//	analysis_open(&a), analysis_find_kernel(&a);
//	tally_init(&t, sink, wanted, false);
//	extract_tables(&a, &outcome, wanted, &t.sink);
//	extract_end(&a, &outcome, &t);
//
// Who needs no account of the run leaves out the tally and the end, and hands over its own sink.
#ifndef VMI_ANALYSE_EXTRACT_H
#define VMI_ANALYSE_EXTRACT_H

#include "src/analyse/rows.h"

// All rows but those that can only be known at the end. wanted bounds the work, not what arrives:
// rows of problems and coverage come always, and are for the sink to drop.
void extract_tables(struct analysis *a, const struct outcome *o, const bool wanted[TABLE_COUNT],
		    struct sink *sink);

// problems of the file, run, and the rest of coverage; sets o->partial.
void extract_end(struct analysis *a, struct outcome *o, struct tally *t);

#endif
