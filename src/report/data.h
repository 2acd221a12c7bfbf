// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's data: the rows that a database holds, or an analysis finds, as one JSON object.
//
//	{"schema": 1, "tables": {NAME: columns, ...}, "about": {NAME: "what it is of", ...},
//	 "of": {NAME: {"rows": columns, "ids": [[id, ...], ...]}, ...},
//	 "strange": n, "strings": ["...", ...]}
//
// Tables of processes are under "of": each distinct row once, and by process, in the order of the
// table processes, the ids of its rows.
#ifndef VMI_REPORT_DATA_H
#define VMI_REPORT_DATA_H

#include "src/report/mappings.h"

struct data {
	struct sink sink; // first: emit() casts back
	struct intern strings;
	struct columns tables[TABLE_COUNT];
	struct of_process of[TABLE_COUNT];
	struct mappings mappings;
	struct u64map by_task, by_pid; // of processes: place in the table
	VEC(uint64_t) tasks;	       // by place
	uint64_t rows[TABLE_COUNT];
};

void data_init(struct data *d);
void data_fini(struct data *d);
void data_put(struct data *d, page_text *out);

// A value of a table that is not one of processes. An absent text has no p; an absent number is -1.
struct opt_text data_text(const struct data *d, enum table_id table, size_t row,
			  const char *column);
int64_t data_int(const struct data *d, enum table_id table, size_t row, const char *column);

#endif
