// SPDX-License-Identifier: LGPL-2.1-or-later
// process_memory_map, with what process_page_map says of each mapping.
#include "src/report/mappings.h"

#include <string.h>

enum { PAGE_SHIFT = 12, PAGE_MASK = (1 << PAGE_SHIFT) - 1, MAX_HEX = 16 };
enum { GAP, PAGES, FIRST_SHOWN };

static bool is_shown(const struct column *c)
{
	static const char *const hidden[] = {"pid",	 "start",    "end",	  "pseudo",
					     "vm_flags", "vma_addr", "file_addr", "task_addr"};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (strcmp(c->name, hidden[i]) == 0)
			return false;
	return true;
}

void mappings_init(struct mappings *m)
{
	const struct table *t = &schema_tables[TABLE_process_memory_map];

	*m = (struct mappings){0};
	columns_add(&m->rows.columns, "gap", false);
	columns_add(&m->rows.columns, "pages", false);
	for (size_t i = 0; i < t->n_columns; i++)
		if (is_shown(&t->columns[i]))
			columns_add(&m->rows.columns, t->columns[i].name,
				    t->columns[i].kind != COL_INT);
}

void mappings_fini(struct mappings *m)
{
	of_process_fini(&m->rows);
	for (size_t i = 0; i < m->spaces.n; i++)
		vec_fini(&m->spaces.at[i].at);
	vec_fini(&m->spaces);
	u64map_fini(&m->by_task);
	vec_fini(&m->runs);
}

// --- ranges ---

// 0x and up to sixteen hex digits.
static bool parse_addr(struct opt_text t, uint64_t *out)
{
	if (!t.p || t.n < 3 || t.n > 2 + MAX_HEX || memcmp(t.p, "0x", 2) != 0)
		return false;
	*out = 0;
	for (size_t i = 2; i < t.n; i++) {
		char c = t.p[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		*out = *out << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	return true;
}

static bool is_of_pages(const struct range *r)
{
	return r->start < r->end && !(r->start & PAGE_MASK) && !(r->end & PAGE_MASK);
}

static struct space *space_of(struct mappings *m, uint64_t task, bool create)
{
	const uint64_t *at = u64map_get(&m->by_task, task);

	if (at)
		return &m->spaces.at[*at];
	if (!create)
		return NULL;
	(void)u64map_add(&m->by_task, task, m->spaces.n);
	vec_push(&m->spaces, (struct space){0});
	return &m->spaces.at[m->spaces.n - 1];
}

// --- mappings ---

static void add_row(struct mappings *m, struct intern *strings,
		    const struct row_process_memory_map *row, struct range r, uint64_t before)
{
	const struct table *t = &schema_tables[TABLE_process_memory_map];
	struct cell cells[sizeof(*row) / sizeof(struct opt_int) + FIRST_SHOWN] = {
		[GAP] = {.kind = CELL_INT, .v = (int64_t)((r.start - before) >> PAGE_SHIFT)},
		[PAGES] = {.kind = CELL_INT, .v = (int64_t)((r.end - r.start) >> PAGE_SHIFT)},
	};
	size_t n = FIRST_SHOWN;

	for (size_t i = 0; i < t->n_columns; i++)
		if (is_shown(&t->columns[i]))
			cells[n++] = cell_of(strings, &t->columns[i], row);
	of_process_add(&m->rows, row->task_addr.v, cells);
}

// A mapping that begins within the one before it is none.
void mappings_add(struct mappings *m, struct intern *strings,
		  const struct row_process_memory_map *row)
{
	struct range r;

	if (!row->task_addr.set || !parse_addr(row->start, &r.start) ||
	    !parse_addr(row->end, &r.end) || !is_of_pages(&r)) {
		m->strange++;
		return;
	}
	struct space *s = space_of(m, row->task_addr.v, true);
	uint64_t before = s->at.n ? s->at.at[s->at.n - 1].range.end : 0;
	if (r.start < before) {
		m->strange++;
		return;
	}
	vec_push(&s->at, ((struct mapping){r, 0}));
	add_row(m, strings, row, r, before);
}

// --- pages ---

void mappings_add_run(struct mappings *m, const struct row_process_page_map *row)
{
	struct range r = {row->start_va.v, row->end_va.v};

	if (row->task_addr.set && row->start_va.set && row->end_va.set && is_of_pages(&r))
		vec_push(&m->runs, ((struct page_run){row->task_addr.v, r}));
	else
		m->strange++;
}

// Runs ascend as mappings do: together they are gone through once.
static void count_run(struct space *s, const struct range *run)
{
	for (; s->next < s->at.n && s->at.at[s->next].range.start < run->end; s->next++) {
		struct mapping *m = &s->at.at[s->next];
		uint64_t from = run->start > m->range.start ? run->start : m->range.start;
		uint64_t to = run->end < m->range.end ? run->end : m->range.end;
		if (from < to)
			m->resident += to - from;
		if (m->range.end > run->end)
			break;
	}
	s->counted_to = run->end;
}

static void count_runs(struct mappings *m)
{
	const struct page_run *run;

	vec_foreach (run, &m->runs) {
		struct space *s = space_of(m, run->task, false);
		if (s && run->range.start >= s->counted_to)
			count_run(s, &run->range);
		else
			m->strange++;
	}
}

// --- together ---

static void put_space(const struct space *s, page_text *out)
{
	put(out, "[");
	for (size_t i = 0; s && i < s->at.n; i++) {
		put(out, i ? "," : "");
		put_json_int(out, (int64_t)(s->at.at[i].resident >> PAGE_SHIFT));
	}
	put(out, "]");
}

uint64_t mappings_put(struct mappings *m, const struct u64map *places, const uint64_t *tasks,
		      size_t n_processes, page_text *out)
{
	uint64_t orphans = of_process_put(&m->rows, places, n_processes, out);

	if (m->runs.n == 0)
		return orphans;
	count_runs(m);
	put(out, ",\"resident\":[");
	for (size_t p = 0; p < n_processes; p++) {
		put(out, p ? "," : "");
		put_space(space_of(m, tasks[p], false), out);
	}
	put(out, "]");
	return orphans;
}
