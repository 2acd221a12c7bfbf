// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads tables out of a database that is not believed.
#include "src/db/source.h"

#include "src/base/scope.h"
#include "src/db/journal.h"
#include "src/db/uri.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// Of the database's header (sqlite.org/fileformat2.html, 1.3).
enum {
	HEADER = 100,
	AT_ENCODING = 56, // 1 is UTF-8
	AT_USER_VERSION = 60,
	AT_APPLICATION_ID = 68,
};
enum { TEXT_MOST = 64 << 20, ADDR_CHARS = 18 };

static const char magic[16] = "SQLite format 3";

struct source {
	char *path;
	sqlite3 *db;
	uint64_t size, taken; // bytes of the file; what its rows held so far
};

// --- what it claims to be ---

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Without waiting for the writer of a FIFO.
static struct err *read_header(const char *path, uint8_t header[static HEADER], uint64_t *size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(ERR_IO, "%s: can't be opened", path);
	if (!S_ISREG(st.st_mode) || pread(fd, header, HEADER, 0) != HEADER)
		return err_new(ERR_FORMAT, "%s: is no database", path);
	*size = (uint64_t)st.st_size;
	return NULL;
}

bool source_is_database(const char *path)
{
	uint8_t header[HEADER] = {0};
	uint64_t size = 0;

	return !read_header(path, header, &size) && memcmp(header, magic, sizeof(magic)) == 0;
}

static struct err *check_header(const char *path, const uint8_t header[static HEADER])
{
	uint32_t id = be32(header + AT_APPLICATION_ID), version = be32(header + AT_USER_VERSION);

	if (memcmp(header, magic, sizeof(magic)) != 0)
		return err_new(ERR_FORMAT, "%s: is no database", path);
	if (id == SCHEMA_MERGED_APPLICATION_ID)
		return err_new(
			ERR_UNSUPPORTED,
			"%s: is a database of many images, made by vmiscan merge; give those of "
			"the single images",
			path);
	if (id != SCHEMA_APPLICATION_ID || be32(header + AT_ENCODING) != 1)
		return err_new(ERR_FORMAT, "%s: is a database, but none of vmiscan's", path);
	if (version != SCHEMA_VERSION)
		return err_new(
			ERR_UNSUPPORTED,
			"%s: its schema is of version %u, this vmiscan's of version %d; analyse "
			"the image again with this one",
			path, version, SCHEMA_VERSION);
	return NULL;
}

// --- opening ---

static struct err *damaged(const struct source *s, const char *what)
{
	return err_new(ERR_FORMAT, "%s: can't be read: %s; is it whole, and made by this vmiscan?",
		       s->path, what);
}

// All that a source may do is read columns of its tables, and tell what columns there are.
static int authorize(void *arg, int action, const char *one, const char *two, const char *base,
		     const char *inner)
{
	(void)arg;
	(void)two;
	(void)base;
	if (action == SQLITE_PRAGMA)
		return strcmp(one, "table_xinfo") == 0 ? SQLITE_OK : SQLITE_DENY;
	return (action == SQLITE_SELECT || action == SQLITE_READ) && !inner ? SQLITE_OK
									    : SQLITE_DENY;
}

static void harden(sqlite3 *db)
{
	static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW,
				  SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
				  SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_DQS_DML};

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		(void)sqlite3_db_config(db, off[i], 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_MOST);
	(void)sqlite3_exec(db, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL,
			   NULL);
	(void)sqlite3_set_authorizer(db, authorize, NULL);
}

struct err *source_open(const char *path, struct source **out)
{
	uint8_t header[HEADER] = {0};
	uint64_t size = 0;

	TRY(read_header(path, header, &size));
	TRY(check_header(path, header));
	TRY(journal_refuse(path));
	struct source *s = mem_zalloc(1, sizeof(*s));
	_cleanup_free_ char *uri = uri_of_evidence(path);
	s->path = mem_strdup(path);
	s->size = size;
	if (sqlite3_open_v2(uri, &s->db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		struct err *e = damaged(s, s->db ? sqlite3_errmsg(s->db) : "out of memory");
		source_close(s);
		return e;
	}
	harden(s->db);
	*out = s;
	return NULL;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	(void)sqlite3_close(s->db);
	mem_free(s->path);
	mem_free(s);
}

// --- is it a table of ours? ---

static void scope_finalize(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}
#define _cleanup_stmt_ _cleanup_(scope_finalize)

static struct err *prepare(struct source *s, const char *sql, sqlite3_stmt **out)
{
	if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
		return damaged(s, sqlite3_errmsg(s->db));
	return NULL;
}

// Virtual tables and views have no page to begin on.
static struct err *check_is_table(struct source *s, const struct table *t)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	TRY(prepare(s, "SELECT type, rootpage FROM main.sqlite_master WHERE name = ?1", &stmt));
	(void)sqlite3_bind_text(stmt, 1, t->name, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return err_new(
			ERR_UNSUPPORTED,
			"%s: has no table %s; it was made by another vmiscan, analyse the image "
			"again with this one",
			s->path, t->name);
	const char *type = (const char *)sqlite3_column_text(stmt, 0);
	if (!type || strcmp(type, "table") != 0 || sqlite3_column_int64(stmt, 1) <= 0)
		return err_new(ERR_FORMAT, "%s: its %s is no table: made by somebody else", s->path,
			       t->name);
	return NULL;
}

static bool has_column(sqlite3_stmt *xinfo, const struct column *c)
{
	enum { NAME = 1, HIDDEN = 6 }; // hidden: 2 and 3 are computed
	bool found = false;

	(void)sqlite3_reset(xinfo);
	while (!found && sqlite3_step(xinfo) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(xinfo, NAME);
		found = name && strcmp(name, c->name) == 0 &&
			sqlite3_column_int(xinfo, HIDDEN) == 0;
	}
	return found;
}

static struct err *check_columns(struct source *s, const struct table *t)
{
	_cleanup_free_ char *sql = mem_printf("PRAGMA main.table_xinfo(%s)", t->name);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;

	TRY(prepare(s, sql, &stmt));
	for (size_t i = 0; i < t->n_columns; i++)
		if (!has_column(stmt, &t->columns[i]))
			return err_new(ERR_UNSUPPORTED,
				       "%s: has no column %s.%s; it was made by another vmiscan, "
				       "analyse the image again with this one",
				       s->path, t->name, t->columns[i].name);
	return NULL;
}

// --- rows ---

static struct err *prepare_select(struct source *s, const struct table *t, sqlite3_stmt **out)
{
	char *sql = mem_strdup("SELECT");

	for (size_t i = 0; i < t->n_columns; i++) {
		_cleanup_free_ char *before = sql;
		sql = mem_printf("%s%s [%s]", before, i ? "," : "", t->columns[i].name);
	}
	_cleanup_free_ char *columns = sql;
	_cleanup_free_ char *all = mem_printf("%s FROM main.[%s] NOT INDEXED", columns, t->name);
	return prepare(s, all, out);
}

static bool parse_addr(const char *s, size_t n, uint64_t *v)
{
	*v = 0;
	if (n != ADDR_CHARS || s[0] != '0' || s[1] != 'x')
		return false;
	for (size_t i = 2; i < n; i++) {
		const char *digits = "0123456789abcdef", *at = s[i] ? strchr(digits, s[i]) : NULL;
		if (!at)
			return false;
		*v = *v << 4 | (uint64_t)(at - digits);
	}
	return true;
}

// False if the value is none that such a column holds.
static bool take_value(sqlite3_stmt *stmt, int at, enum col_kind kind, void *out)
{
	struct opt_addr *addr = out;
	int type = sqlite3_column_type(stmt, at);

	if (type == SQLITE_NULL)
		return true;
	if (type != (kind == COL_INT ? SQLITE_INTEGER : SQLITE_TEXT))
		return false;
	if (kind == COL_INT) {
		*(struct opt_int *)out = some_int(sqlite3_column_int64(stmt, at));
		return true;
	}
	const char *text = (const char *)sqlite3_column_text(stmt, at);
	size_t n = (size_t)sqlite3_column_bytes(stmt, at);
	if (kind == COL_TEXT)
		*(struct opt_text *)out = some_bytes(text, n);
	else
		addr->set = text && parse_addr(text, n, &addr->v);
	return text && (kind == COL_TEXT || addr->set);
}

// A record is at least a byte for its length, one a column and its texts; pages that are used by
// many rows at once make more of them than the file can hold.
static struct err *count_row(struct source *s, sqlite3_stmt *stmt, const struct table *t)
{
	s->taken += 1 + t->n_columns;
	for (size_t i = 0; i < t->n_columns; i++)
		if (sqlite3_column_type(stmt, (int)i) == SQLITE_TEXT)
			s->taken += (uint64_t)sqlite3_column_bytes(stmt, (int)i);
	return s->taken > s->size ? damaged(s, "its rows are more than its bytes") : NULL;
}

static struct err *take_row(struct source *s, sqlite3_stmt *stmt, const struct table *t,
			    unsigned char *row)
{
	TRY(count_row(s, stmt, t));
	memset(row, 0, t->row_size);
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct column *c = &t->columns[i];
		if (!take_value(stmt, (int)i, c->kind, row + c->offset))
			return err_new(
				ERR_FORMAT,
				"%s: a value of %s.%s is none that it can have: damaged, or made "
				"by somebody else",
				s->path, t->name, c->name);
	}
	return NULL;
}

struct err *source_rows(struct source *s, enum table_id id, struct sink *sink)
{
	const struct table *t = &schema_tables[id];
	_cleanup_free_ unsigned char *row = mem_alloc(t->row_size);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	int rc;

	TRY(check_is_table(s, t));
	TRY(check_columns(s, t));
	TRY(prepare_select(s, t, &stmt));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && !sink->failed) {
		TRY(take_row(s, stmt, t, row));
		sink->emit(sink, id, row);
	}
	return rc == SQLITE_DONE || sink->failed ? NULL : damaged(s, sqlite3_errmsg(s->db));
}

// --- what it says of the analysis ---

struct verdict {
	struct sink sink; // first: emit() casts back
	bool partial;
};

static void judge(struct sink *sink, enum table_id id, const void *row)
{
	static const char complete[] = "complete";
	struct verdict *v = (struct verdict *)sink;
	const struct row_run *r = row;

	(void)id;
	if ((r->exit_status.set && r->exit_status.v != 0) ||
	    (r->status.p && (r->status.n != sizeof(complete) - 1 ||
			     memcmp(r->status.p, complete, r->status.n) != 0)))
		v->partial = true;
}

struct err *source_is_partial(struct source *s, bool *partial)
{
	struct verdict v = {.sink.emit = judge};

	TRY(source_rows(s, TABLE_run, &v.sink));
	*partial = v.partial;
	return NULL;
}
