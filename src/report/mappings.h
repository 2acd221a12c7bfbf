// SPDX-License-Identifier: LGPL-2.1-or-later
// Mappings of processes, told by their distance from the one before: what maps the same libraries
// has the same rows then, wherever they lie. And how many of a mapping's pages are there.
#ifndef VMI_REPORT_MAPPINGS_H
#define VMI_REPORT_MAPPINGS_H

#include "src/report/of_process.h"

struct range {
	uint64_t start, end; // bytes
};

struct mapping {
	struct range range;
	uint64_t resident; // bytes
};

// The mappings of a process, ascending, and how far its runs of pages were counted.
struct space {
	VEC(struct mapping) at;
	size_t next;
	uint64_t counted_to;
};

struct page_run {
	uint64_t task;
	struct range range;
};

struct mappings {
	struct of_process
		rows; // gap and pages, in pages of 4096 bytes, in the place of start and end
	VEC(struct space) spaces;
	struct u64map by_task; // task_addr -> place in spaces
	VEC(struct page_run) runs;
	uint64_t strange; // rows that make no sense
};

void mappings_init(struct mappings *m);
void mappings_fini(struct mappings *m);
void mappings_add(struct mappings *m, struct intern *strings,
		  const struct row_process_memory_map *row);
void mappings_add_run(struct mappings *m, const struct row_process_page_map *row);
// As of_process_put(), and where there are runs "resident" as "ids": pages of each mapping. tasks:
// the task_addr by place of the process.
uint64_t mappings_put(struct mappings *m, const struct u64map *places, const uint64_t *tasks,
		      size_t n_processes, page_text *out);

#endif
