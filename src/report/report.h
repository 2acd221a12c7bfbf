// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows of all tables as one page of HTML that needs nothing else.
#ifndef VMI_REPORT_REPORT_H
#define VMI_REPORT_REPORT_H

#include "schema/schema.h"
#include "src/base/err.h"

struct report;

// A page without rows, under a temporary name beside path. force: path may be there already.
struct err *report_new(const char *path, bool force, struct report **out);
// Without a finish before it nothing stays on disk.
void report_free(struct report *r);

// Where rows go: of a database, or of an analysis.
struct sink *report_rows(struct report *r);

// Writes the page of the rows that have come, and gives the file its name.
struct err *report_finish(struct report *r);

#endif
