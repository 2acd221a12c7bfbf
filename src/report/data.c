// SPDX-License-Identifier: LGPL-2.1-or-later
// Every table that the page shows, in the order of the schema.
#include "src/report/data.h"

#include "src/base/scope.h"

#include <string.h>

// The page has no use for offsets of fields; pages are counted by mapping.
static bool is_left_out(enum table_id id)
{
	return id == TABLE_type_fields || id == TABLE_process_page_map;
}

static bool is_of_process(enum table_id id)
{
	return id == TABLE_threads || id == TABLE_process_envs || id == TABLE_process_namespaces ||
	       id == TABLE_process_open_files || id == TABLE_process_open_sockets ||
	       id == TABLE_process_memory_map;
}

// What tells the process is not repeated in its rows. Threads have task_structs of their own.
static bool tells_process(enum table_id id, const char *column)
{
	return is_of_process(id) && (strcmp(column, "pid") == 0 ||
				     (strcmp(column, "task_addr") == 0 && id != TABLE_threads));
}

static struct columns *columns_of(struct data *d, enum table_id id)
{
	return is_of_process(id) ? &d->of[id].columns : &d->tables[id];
}

// --- rows come ---

// The first of several processes with one pid is that of the task list; it keeps the pid.
static void remember_process(struct data *d, const struct row_processes *r)
{
	uint64_t place = d->rows[TABLE_processes];
	bool known = r->task_addr.set && u64map_add(&d->by_task, r->task_addr.v, place);

	vec_push(&d->tasks, known ? r->task_addr.v : 0);
	if (r->pid.set)
		(void)u64map_add(&d->by_pid, (uint64_t)r->pid.v, place);
}

static uint64_t key_of(enum table_id id, const void *row)
{
	const struct table *t = &schema_tables[id];
	const char *name = id == TABLE_threads ? "pid" : "task_addr";

	for (size_t i = 0; i < t->n_columns; i++) {
		const void *at = (const char *)row + t->columns[i].offset;
		if (strcmp(t->columns[i].name, name) == 0)
			return t->columns[i].kind == COL_INT
				       ? (uint64_t)((const struct opt_int *)at)->v
				       : ((const struct opt_addr *)at)->v;
	}
	return 0;
}

static void add_row(struct data *d, enum table_id id, const void *row)
{
	const struct table *t = &schema_tables[id];
	_cleanup_free_ struct cell *cells = mem_zalloc(t->n_columns, sizeof(*cells));
	size_t n = 0;

	for (size_t i = 0; i < t->n_columns; i++)
		if (!tells_process(id, t->columns[i].name))
			cells[n++] = cell_of(&d->strings, &t->columns[i], row);
	if (is_of_process(id))
		of_process_add(&d->of[id], key_of(id, row), cells);
	else
		columns_add_row(&d->tables[id], cells);
}

static void emit(struct sink *sink, enum table_id id, const void *row)
{
	struct data *d = (struct data *)sink;

	if (id == TABLE_processes)
		remember_process(d, row);
	if (id == TABLE_process_memory_map)
		mappings_add(&d->mappings, &d->strings, row);
	else if (id == TABLE_process_page_map)
		mappings_add_run(&d->mappings, row);
	else if (!is_left_out(id))
		add_row(d, id, row);
	d->rows[id]++;
}

void data_init(struct data *d)
{
	*d = (struct data){.sink.emit = emit};
	mappings_init(&d->mappings);
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		const struct table *t = &schema_tables[id];
		for (size_t i = 0; i < t->n_columns; i++)
			if (!tells_process((enum table_id)id, t->columns[i].name))
				columns_add(columns_of(d, (enum table_id)id), t->columns[i].name,
					    t->columns[i].kind != COL_INT);
	}
}

void data_fini(struct data *d)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		columns_fini(&d->tables[id]);
		of_process_fini(&d->of[id]);
	}
	mappings_fini(&d->mappings);
	intern_fini(&d->strings);
	u64map_fini(&d->by_task);
	u64map_fini(&d->by_pid);
	vec_fini(&d->tasks);
}

// --- a value ---

static const struct cell *find_cell(const struct data *d, enum table_id table, size_t row,
				    const char *column)
{
	const struct columns *c = &d->tables[table];

	for (size_t i = 0; row < c->n_rows && i < c->columns.n; i++)
		if (strcmp(c->columns.at[i].name, column) == 0)
			return &c->cells.at[row * c->columns.n + i];
	return NULL;
}

struct opt_text data_text(const struct data *d, enum table_id table, size_t row, const char *column)
{
	const struct cell *cell = find_cell(d, table, row, column);

	if (!cell || cell->kind != CELL_STRING)
		return (struct opt_text){0};
	const struct interned *s = &d->strings.all.at[cell->v];
	return some_bytes(s->p, s->n);
}

int64_t data_int(const struct data *d, enum table_id table, size_t row, const char *column)
{
	const struct cell *cell = find_cell(d, table, row, column);

	return cell && cell->kind == CELL_INT ? cell->v : -1;
}

// --- JSON ---

static void put_name(page_text *out, const char **before, enum table_id id)
{
	put(out, *before);
	put(out, "\"");
	put(out, schema_tables[id].name);
	put(out, "\":");
	*before = ",\n";
}

static void put_tables(const struct data *d, page_text *out)
{
	const char *before = "";

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		if (!is_left_out((enum table_id)id) && !is_of_process((enum table_id)id)) {
			put_name(out, &before, (enum table_id)id);
			columns_put(&d->tables[id], out);
		}
}

// What the tables are of, for their headings.
static void put_about(page_text *out)
{
	const char *before = "";

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		if (!is_left_out((enum table_id)id) && !is_of_process((enum table_id)id)) {
			put_name(out, &before, (enum table_id)id);
			put_json_text(out, schema_tables[id].doc, strlen(schema_tables[id].doc));
		}
}

// Gives how many rows have no process.
static uint64_t put_of_processes(struct data *d, page_text *out)
{
	uint64_t orphans = 0;
	const char *before = "";

	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		if (!is_of_process((enum table_id)id))
			continue;
		put_name(out, &before, (enum table_id)id);
		put(out, "{");
		if (id == TABLE_process_memory_map)
			orphans += mappings_put(&d->mappings, &d->by_task, d->tasks.at, d->tasks.n,
						out);
		else
			orphans += of_process_put(&d->of[id],
						  id == TABLE_threads ? &d->by_pid : &d->by_task,
						  d->tasks.n, out);
		put(out, "}");
	}
	return orphans;
}

static void put_strings(const struct data *d, page_text *out)
{
	put(out, "\"strings\":[");
	for (size_t i = 0; i < d->strings.all.n; i++) {
		put(out, i ? ",\n" : "");
		put_json_text(out, d->strings.all.at[i].p, d->strings.all.at[i].n);
	}
	put(out, "]");
}

void data_put(struct data *d, page_text *out)
{
	put(out, "{\"schema\":");
	put_json_int(out, SCHEMA_VERSION);
	put(out, ",\n\"tables\":{");
	put_tables(d, out);
	put(out, "},\n\"about\":{");
	put_about(out);
	put(out, "},\n\"of\":{");
	uint64_t orphans = put_of_processes(d, out);
	put(out, "},\n\"strange\":");
	put_json_int(out, (int64_t)(orphans + d->mappings.strange));
	put(out, ",\n");
	put_strings(d, out);
	put(out, "}");
}
