// SPDX-License-Identifier: LGPL-2.1-or-later
// Compile, extract what the statement names, step, print.
#include "src/sql/session.h"

#include "src/base/bytes.h"
#include "src/base/scope.h"
#include "src/db/journal.h"
#include "src/db/source.h"
#include "src/db/uri.h"
#include "src/phys/io.h"
#include "src/sql/guard.h"
#include "src/sql/opens.h"

#include <stdio.h>
#include <string.h>

struct session {
	sqlite3 *db;
	struct imagedb *image; // NULL: db is a file
	struct guard guard;
	char *path;   // of that file
	bool partial; // it says itself that not all of its image could be read
};

// --- which of the two ---

enum { HEAD = 100, AT_APPLICATION_ID = 68 }; // sqlite.org/fileformat.html 1.3

static void scope_io_close(struct io **io)
{
	io_close(*io);
}

struct err *session_is_database(const char *path, bool *is)
{
	static const char magic[16] = "SQLite format 3";
	_cleanup_(scope_io_close) struct io *io = NULL;
	uint8_t head[HEAD];
	size_t got;

	TRY(io_open_file(path, &io));
	TRY(io_read(io, 0, head, sizeof(head), &got));
	if (got < sizeof(head) && got < io->size)
		return err_new(ERR_IO, "%s: its first bytes can't be read", path);
	*is = got == sizeof(head) && memcmp(head, magic, sizeof(magic)) == 0;
	uint32_t id = be32(head + AT_APPLICATION_ID);
	if (*is && id != SCHEMA_APPLICATION_ID && id != SCHEMA_MERGED_APPLICATION_ID)
		return err_new(ERR_FORMAT,
			       "%s: is an SQLite database, but none that vmiscan made; open it "
			       "with sqlite3",
			       path);
	return NULL;
}

// --- opening ---

static struct session *session_new(sqlite3 *db)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	s->db = db;
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_exec(db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	guard_set(&s->guard, db);
	return s;
}

static struct err *damaged(const struct session *s)
{
	return err_new(ERR_FORMAT, "%s: the database can't be read: %s", s->path,
		       sqlite3_errmsg(s->db));
}

// A merged one says it of each image, which is no damage of all of them.
static bool is_partial(const char *path)
{
	struct source *source;
	bool partial = false;

	if (source_open(path, &source))
		return false;
	if (source_is_partial(source, &partial))
		partial = false; // what is wrong with it, a statement that reads it finds
	source_close(source);
	return partial;
}

struct err *session_of_database(const char *path, struct session **out)
{
	_cleanup_free_ char *uri = uri_of_evidence(path);
	sqlite3 *db = NULL;

	TRY(journal_refuse(path));
	int rc = sqlite3_open_v2(
		uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	if (!db)
		return err_new(ERR_LIMIT, "%s: no memory to open it", path);
	struct session *s = session_new(db);
	s->path = mem_strdup(path);
	s->partial = is_partial(path);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	if (rc != SQLITE_OK) {
		struct err *e = damaged(s);
		session_free(s);
		return e;
	}
	*out = s;
	return NULL;
}

struct err *session_of_image(struct analysis *a, const char *argv, struct session **out)
{
	struct imagedb *image;

	TRY(imagedb_new(a, argv, &image));
	*out = session_new(image->db);
	(*out)->image = image;
	return NULL;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->image)
		imagedb_free(s->image);
	else
		(void)sqlite3_close(s->db);
	mem_free(s->path);
	mem_free(s);
}

bool session_is_complete(const char *sql)
{
	return sqlite3_complete(sql);
}

void session_limit_memory(size_t bytes)
{
	(void)sqlite3_hard_heap_limit64((sqlite3_int64)(bytes < INT64_MAX ? bytes : INT64_MAX));
}

void session_interrupt(struct session *s)
{
	if (s->image)
		s->image->stop = 1;
	sqlite3_interrupt(s->db);
}

const char *session_damage(const struct session *s)
{
	if (s->partial)
		return "the analysis that made it could not read all of the image";
	if (!s->image || !s->image->outcome.partial)
		return NULL;
	return outcome_words(s->image->analysis, &s->image->outcome);
}

// --- errors ---

// Where in the text: "line 2, column 5".
static void describe_place(char *out, size_t n, const char *text, size_t at, unsigned line)
{
	size_t column = 1;

	for (size_t i = 0; i < at && text[i]; i++) {
		bool ends = text[i] == '\n';
		line += ends;
		// bytes that go on with a character are no columns of their own
		column = ends ? 1 : column + ((text[i] & 0xc0) != 0x80);
	}
	(void)snprintf(out, n, "line %u, column %zu", line, column);
}

// Where SQLite saw what is wrong with a statement; its start if it does not tell.
static size_t error_offset(sqlite3 *db, const char *sql)
{
	int at = -1;

#if SQLITE_VERSION_NUMBER >= 3038000
	at = sqlite3_error_offset(db);
#else
	(void)db;
#endif
	return at < 0 ? strspn(sql, " \t\r\n") : (size_t)at;
}

static const char *advice(const char *message)
{
	return strncmp(message, "no such ", 8) == 0 ? "; `vmiscan schema` lists tables and columns"
						    : "";
}

// The statement at `sql` in `text` failed.
static struct err *failure(const struct session *s, const char *text, const char *sql,
			   unsigned line)
{
	const char *message = s->guard.refused[0] ? s->guard.refused : sqlite3_errmsg(s->db);
	char place[64];

	switch (sqlite3_errcode(s->db) & 0xff) {
	case SQLITE_INTERRUPT:
		return err_new(ERR_USAGE, "interrupted");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_IOERR:
		return s->image ? err_new(ERR_INTERNAL, "%s", message) : damaged(s);
	case SQLITE_NOMEM:
	case SQLITE_FULL:
		return err_new(ERR_LIMIT, "the statement needs more memory than there is");
	default:
		describe_place(place, sizeof(place), text,
			       (size_t)(sql - text) + error_offset(s->db, sql), line);
		return err_new(ERR_USAGE, "%s (%s)%s", message, place, advice(message));
	}
}

// --- running ---

// The rows of what is compiled; false if it failed.
static bool print_rows(sqlite3_stmt *stmt, struct printer *p)
{
	int rc = sqlite3_step(stmt);

	if (sqlite3_column_count(stmt) == 0)
		return rc == SQLITE_DONE;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		printer_begin(p, stmt);
	for (; rc == SQLITE_ROW && !ferror(p->out); rc = sqlite3_step(stmt))
		printer_row(p, stmt);
	printer_end(p);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static void scope_finalize(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

// What the statement reads is there when it runs.
static struct err *load_tables(struct session *s, sqlite3_stmt *stmt)
{
	bool reads[TABLE_COUNT];

	if (!s->image)
		return NULL;
	s->guard.off = true;
	struct err *e = opens_of(s->db, stmt, reads)
				? imagedb_load(s->image, reads)
				: err_new(ERR_INTERNAL, "SQLite does not say what it reads: %s",
					  sqlite3_errmsg(s->db));
	s->guard.off = false;
	return e;
}

// The first statement at *sql, which lies in text; moves *sql behind it.
static struct err *run_one(struct session *s, const char *text, const char **sql, unsigned line,
			   struct printer *p)
{
	_cleanup_(scope_finalize) sqlite3_stmt *stmt = NULL;
	const char *begin = *sql;

	guard_reset(&s->guard);
	if (sqlite3_prepare_v2(s->db, begin, -1, &stmt, sql) != SQLITE_OK)
		return failure(s, text, begin, line);
	if (!stmt)
		return NULL; // a comment, or space
	TRY(load_tables(s, stmt));
	if (!print_rows(stmt, p))
		return failure(s, text, begin, line);
	return NULL;
}

struct err *session_run(struct session *s, const char *sql, unsigned line, struct printer *p)
{
	const char *text = sql;

	if (s->image)
		s->image->stop = 0;
	while (*sql && !ferror(p->out))
		TRY(run_one(s, text, &sql, line, p));
	return NULL;
}

struct err *session_each(struct session *s, const char *sql, const char *like,
			 bool (*each)(void *arg, const char *text), void *arg)
{
	_cleanup_(scope_finalize) sqlite3_stmt *stmt = NULL;

	guard_reset(&s->guard);
	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return failure(s, sql, sql, 1);
	(void)sqlite3_bind_text(stmt, 1, like, -1, SQLITE_STATIC);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);
		if (text && !each(arg, text))
			break;
	}
	return NULL;
}
