// SPDX-License-Identifier: LGPL-2.1-or-later
// A table of processes as distinct rows, and by process their ids: processes that share libraries
// share most of their rows.
#ifndef VMI_REPORT_OF_PROCESS_H
#define VMI_REPORT_OF_PROCESS_H

#include "src/report/columns.h"

// Whose row it is: the task_addr of a process, or of threads its pid.
struct row_id {
	uint64_t key;
	size_t id;
};

struct of_process {
	struct columns columns;
	struct intern rows;	// distinct ones, as the bytes of their cells
	VEC(struct row_id) ids; // in the order of the table
};

void of_process_fini(struct of_process *o);
void of_process_add(struct of_process *o, uint64_t key, const struct cell *row);
// "rows": columns, "ids": [[id, ...], ...] by place of the process; gives how many rows have a key
// of no process.
uint64_t of_process_put(const struct of_process *o, const struct u64map *places, size_t n_processes,
			page_text *out);

#endif
