// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tables are missing, one extraction for all of them, and nothing half-done on an error.
#include "src/sql/imagedb.h"

#include "schema/ddl.h"
#include "src/analyse/extract.h"
#include "src/base/scope.h"
#include "src/db/inserter.h"

#include <string.h>

// A sink in front of the inserter: lets through the rows of tables that are missing.
struct filter {
	struct sink sink; // first: emit() casts back
	struct sink *next;
	struct imagedb *d;
	const bool *missing;
	unsigned rows;
};

enum { ROWS_A_LOOK = 64 }; // a look takes a microsecond

static void emit(struct sink *sink, enum table_id table, const void *row)
{
	struct filter *f = (struct filter *)sink;

	if (f->missing[table])
		f->next->emit(f->next, table, row);
	if (f->d->is_stopped && f->rows++ % ROWS_A_LOOK == 0 &&
	    f->d->is_stopped(f->d->is_stopped_arg))
		f->d->stop = 1;
	sink->failed = f->next->failed || f->d->stop;
}

static struct err *run_sql(struct imagedb *d, const char *sql)
{
	if (sqlite3_exec(d->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return err_new(ERR_LIMIT, "the tables of the image: %s", sqlite_cause(d->db));
	return NULL;
}

static struct err *open_database(struct imagedb *d)
{
	_cleanup_(arena_fini) struct arena a = {0};

	if (sqlite3_open_v2(":memory:", &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return err_new(ERR_LIMIT, "a database in memory: %s", sqlite_cause(d->db));
	TRY(run_sql(d, "PRAGMA page_size = 8192; PRAGMA temp_store = MEMORY;"
		       "PRAGMA journal_mode = MEMORY"));
	return run_sql(d, ddl_all(&a));
}

struct err *imagedb_new(struct analysis *a, const char *argv, struct imagedb **out)
{
	struct imagedb *d = mem_zalloc(1, sizeof(*d));

	d->analysis = a;
	d->outcome = (struct outcome){.start_ns = wall_clock_ns(), .argv = argv};
	struct err *e = open_database(d);
	if (e) {
		imagedb_free(d);
		return e;
	}
	*out = d;
	return NULL;
}

void imagedb_free(struct imagedb *d)
{
	if (!d)
		return;
	(void)sqlite3_close(d->db);
	mem_free(d);
}

// --- what to extract ---

static bool tells_of_all(const bool tables[TABLE_COUNT])
{
	return tables[TABLE_run] || tables[TABLE_coverage] || tables[TABLE_problems];
}

// Those that are missing; false if there are none.
static bool find_missing(const struct imagedb *d, const bool wanted[TABLE_COUNT],
			 bool missing[TABLE_COUNT])
{
	bool any = false, all = false;

	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		missing[id] = wanted[id] && !d->loaded[id];
		any = any || missing[id];
	}
	all = tells_of_all(missing);
	for (unsigned id = 0; id < TABLE_COUNT && all; id++)
		missing[id] = !d->loaded[id];
	return any;
}

// An image without a kernel has none at the second look either.
static struct err *find_kernel(struct imagedb *d)
{
	if (d->searched && !d->analysis->kernel)
		return err_new(d->no_kernel.code, "%s", d->no_kernel.msg);
	if (d->searched)
		return NULL;
	d->searched = true;
	struct err *e = analysis_find_kernel(d->analysis);
	if (e)
		d->no_kernel = *e;
	return e;
}

// --- extracting ---

static void extract_all(struct imagedb *d, struct sink *sink)
{
	bool all[TABLE_COUNT];
	struct tally t;

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		all[id] = true;
	tally_init(&t, sink, all, d->analysis->opts.reproducible);
	extract_tables(d->analysis, &d->outcome, all, &t.sink);
	extract_end(d->analysis, &d->outcome, &t);
}

static struct err *extract(struct imagedb *d, const bool missing[TABLE_COUNT])
{
	struct inserter *rows = inserter_new(d->db);
	struct filter f = {{emit, false}, inserter_rows(rows), d, missing, 0};
	struct err *e = NULL;

	if (tells_of_all(missing))
		extract_all(d, &f.sink);
	else
		extract_tables(d->analysis, &d->outcome, missing, &f.sink);
	const char *why = inserter_flush(rows);
	if (why)
		e = err_new(ERR_LIMIT, "the tables of the image: %s", why);
	else if (d->stop)
		e = err_new(ERR_USAGE, "interrupted");
	inserter_free(rows);
	return e;
}

struct err *imagedb_load(struct imagedb *d, const bool wanted[TABLE_COUNT])
{
	bool missing[TABLE_COUNT];

	if (!find_missing(d, wanted, missing))
		return NULL;
	TRY(find_kernel(d));
	TRY(run_sql(d, "BEGIN"));
	struct err *e = extract(d, missing);
	if (e) {
		(void)sqlite3_exec(d->db, "ROLLBACK", NULL, NULL, NULL);
		return e;
	}
	TRY(run_sql(d, "COMMIT"));
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		d->loaded[id] = d->loaded[id] || missing[id];
	d->outcome.partial = d->outcome.partial || analysis_is_damaged(d->analysis);
	return NULL;
}
