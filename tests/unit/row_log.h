// SPDX-License-Identifier: LGPL-2.1-or-later
// A sink that keeps rows as text, for tests of extractors, and walks that end in one.
#ifndef VMI_TESTS_ROW_LOG_H
#define VMI_TESTS_ROW_LOG_H

#include "src/walk/walk.h"

struct row_log {
	struct sink sink; // first: emit() casts back
	struct arena text, scratch;
	struct row_log_row *last[TABLE_COUNT]; // newest first
	size_t n[TABLE_COUNT];
	bool wanted[TABLE_COUNT];
	bool counts_only; // rows are looked at whole, but not kept
	uint64_t digest;  // of all values of all rows, in their order
};

// Wants every table.
void row_log_init(struct row_log *log);
void row_log_fini(struct row_log *log);

// The value of a column of row i (in the order of coming), NULL for absent.
const char *row_log_value(const struct row_log *log, enum table_id table, size_t i,
			  const char *column);
// The first row in which the column is this, or holds it; n rows if there is none.
size_t row_log_find(const struct row_log *log, enum table_id table, const char *column,
		    const char *value);
size_t row_log_search(const struct row_log *log, enum table_id table, const char *column,
		      const char *part);
// Whether a problem was said of a table, with this in its message.
bool row_log_problem(const struct row_log *log, enum table_id table, const char *part);
// The status of a table in `coverage`; "" if it has none.
const char *row_log_status(const struct row_log *log, enum table_id table);
// All problems as one text, for messages of failed tests.
const char *row_log_problems(struct row_log *log);

#endif
