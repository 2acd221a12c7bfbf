// SPDX-License-Identifier: LGPL-2.1-or-later
// The database file: made under a temporary name, without journal and locks.
//
// Pages of 8 KiB and a cache of 1 MiB are as quick as any larger, and keep memory small. Indexes
// are left out: two for process_page_map cost as much as all its rows.
#include "src/db/sqlite_sink.h"

#include "schema/ddl.h"
#include "src/base/scope.h"
#include "src/db/inserter.h"
#include "src/db/tempfile.h"

#include <stdio.h>
#include <string.h>

struct sqlite_sink {
	sqlite3 *db;
	struct inserter *rows;
	struct tempfile *file;
	char *path;
	bool merged; // it holds many images
};

static struct err *failure(const struct sqlite_sink *s, const char *why)
{
	return err_new(ERR_OUTPUT, "%s: can't be written: %s; %s", s->path, why,
		       strcmp(why, "out of memory") == 0
			       ? "free some, or leave out tables with --skip"
			       : "make room or choose another place with -o");
}

static struct err *run_sql(struct sqlite_sink *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failure(s, sqlite_cause(s->db));
	return NULL;
}

static struct err *open_database(struct sqlite_sink *s)
{
	// Nobody else knows the file: no mutexes, no locks (unix-none), no journal.
	(void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (sqlite3_open_v2(tempfile_path(s->file), &s->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, "unix-none") != SQLITE_OK)
		return failure(s, sqlite_cause(s->db));
	return run_sql(s, "PRAGMA page_size = 8192; PRAGMA cache_size = -1024;"
			  "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			  "PRAGMA temp_store = MEMORY; PRAGMA locking_mode = EXCLUSIVE");
}

static struct err *create_schema(struct sqlite_sink *s)
{
	_cleanup_(arena_fini) struct arena a = {0};

	TRY(run_sql(s, "BEGIN"));
	return run_sql(s, s->merged ? ddl_merged(&a) : ddl_all(&a));
}

static struct err *prepare(struct sqlite_sink *s)
{
	TRY(open_database(s));
	TRY(create_schema(s));
	s->rows = inserter_new(s->db);
	return NULL;
}

static struct err *new_sink(const char *path, bool force, bool merged, struct sqlite_sink **out)
{
	struct tempfile *file;

	TRY(tempfile_new(path, force, &file));
	struct sqlite_sink *s = mem_zalloc(1, sizeof(*s));
	s->path = mem_strdup(path);
	s->file = file;
	s->merged = merged;
	struct err *e = prepare(s);
	if (e) {
		sqlite_sink_free(s);
		return e;
	}
	*out = s;
	return NULL;
}

struct err *sqlite_sink_new(const char *path, bool force, struct sqlite_sink **out)
{
	return new_sink(path, force, false, out);
}

struct sink *sqlite_sink_rows(struct sqlite_sink *s)
{
	return inserter_rows(s->rows);
}

static void close_database(struct sqlite_sink *s)
{
	inserter_free(s->rows);
	(void)sqlite3_close(s->db);
	s->rows = NULL;
	s->db = NULL;
}

static struct err *make_indices(struct sqlite_sink *s)
{
	_cleanup_(arena_fini) struct arena a = {0};

	return s->merged ? run_sql(s, ddl_merged_indices(&a)) : NULL;
}

struct err *sqlite_sink_finish(struct sqlite_sink *s)
{
	const char *why = inserter_flush(s->rows);

	if (why)
		return failure(s, why);
	TRY(make_indices(s));
	TRY(run_sql(s, "COMMIT"));
	close_database(s);
	return tempfile_commit(s->file);
}

void sqlite_sink_free(struct sqlite_sink *s)
{
	if (!s)
		return;
	close_database(s);
	tempfile_free(s->file);
	mem_free(s->path);
	mem_free(s);
}

// --- many images ---

struct err *sqlite_sink_new_merged(const char *path, bool force, struct sqlite_sink **out)
{
	return new_sink(path, force, true, out);
}

void sqlite_sink_set_image(struct sqlite_sink *s, int64_t image)
{
	inserter_set_image(s->rows, image);
}

void sqlite_sink_add_image(struct sqlite_sink *s, const struct row_images *row)
{
	inserter_add_image(s->rows, row);
}

const char *sqlite_sink_library(void)
{
	return sqlite3_libversion();
}
