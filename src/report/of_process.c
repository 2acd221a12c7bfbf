// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows by process. Those whose process is not in the table processes come to nobody.
#include "src/report/of_process.h"

#include "src/base/scope.h"

#include <string.h>

void of_process_fini(struct of_process *o)
{
	columns_fini(&o->columns);
	intern_fini(&o->rows);
	vec_fini(&o->ids);
}

void of_process_add(struct of_process *o, uint64_t key, const struct cell *row)
{
	size_t id = intern(&o->rows, row, o->columns.columns.n * sizeof(*row));

	if (id == o->columns.n_rows)
		columns_add_row(&o->columns, row);
	vec_push(&o->ids, ((struct row_id){key, id}));
}

// Where each process's ids begin among all ids sorted by process: a counting sort.
static size_t *starts_of(const struct of_process *o, const struct u64map *places, size_t n)
{
	size_t *start = mem_zalloc(n + 1, sizeof(*start));

	for (size_t i = 0; i < o->ids.n; i++) {
		const uint64_t *place = u64map_get(places, o->ids.at[i].key);
		if (place)
			start[*place + 1]++;
	}
	for (size_t p = 0; p < n; p++)
		start[p + 1] += start[p];
	return start;
}

// The ids in the order of the processes; gives how many have none.
static uint64_t sort_ids(const struct of_process *o, const struct u64map *places, size_t *next,
			 size_t *sorted)
{
	uint64_t orphans = 0;

	for (size_t i = 0; i < o->ids.n; i++) {
		const uint64_t *place = u64map_get(places, o->ids.at[i].key);
		if (place)
			sorted[next[*place]++] = o->ids.at[i].id;
		else
			orphans++;
	}
	return orphans;
}

static void put_ids(const size_t *ids, size_t n, page_text *out)
{
	put(out, "[");
	for (size_t i = 0; i < n; i++) {
		put(out, i ? "," : "");
		put_json_int(out, (int64_t)ids[i]);
	}
	put(out, "]");
}

uint64_t of_process_put(const struct of_process *o, const struct u64map *places, size_t n_processes,
			page_text *out)
{
	_cleanup_free_ size_t *start = starts_of(o, places, n_processes);
	_cleanup_free_ size_t *next = mem_zalloc(n_processes + 1, sizeof(*next));
	_cleanup_free_ size_t *sorted = mem_zalloc(o->ids.n + 1, sizeof(*sorted));

	memcpy(next, start, (n_processes + 1) * sizeof(*next));
	uint64_t orphans = sort_ids(o, places, next, sorted);
	put(out, "\"rows\":");
	columns_put(&o->columns, out);
	put(out, ",\"ids\":[");
	for (size_t p = 0; p < n_processes; p++) {
		put(out, p ? "," : "");
		put_ids(sorted + start[p], start[p + 1] - start[p], out);
	}
	put(out, "]");
	return orphans;
}
