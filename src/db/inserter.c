// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows into tables of SQLite, sixteen an INSERT where a table has that many.
//
// Measured on 60 000 rows of process_page_map: one row a statement 28 ms, sixteen 18 ms, more gains
// nothing.
#include "src/db/inserter.h"

#include "src/base/scope.h"
#include "src/base/text.h"
#include "src/base/vec.h"

#include <stdio.h>
#include <string.h>

enum { BATCH = 16, ADDR_CHARS = 18 };

// The rows of a table that wait for their INSERT: structs as emitted, texts copied to the arena.
struct stage {
	sqlite3_stmt *insert[2]; // of one row, of BATCH rows; prepared when first needed
	unsigned char *rows;
	char *hex; // room for the addresses of the rows as text
	size_t n;
	struct arena texts;
};

struct inserter {
	struct sink sink; // first: emit() casts back
	sqlite3 *db;
	char why[256]; // of sink.failed
	bool merged;   // every row begins with the number of its image
	int64_t image; // that of the rows which are coming in
	struct stage stages[TABLE_COUNT];
};

const char *sqlite_cause(sqlite3 *db)
{
	int rc = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
	int sys = db ? sqlite3_system_errno(db) : 0;

	if (rc == SQLITE_FULL)
		return "no space left";
	if (rc == SQLITE_IOERR && sys != 0)
		return strerror(sys);
	return db ? sqlite3_errmsg(db) : "out of memory";
}

// Keeps the first failure; rows after it are dropped.
static void fail(struct inserter *s)
{
	if (!s->sink.failed)
		(void)snprintf(s->why, sizeof(s->why), "%s", sqlite_cause(s->db));
	s->sink.failed = true;
}

static void render_addr(char out[static ADDR_CHARS], uint64_t v)
{
	static const char digits[] = "0123456789abcdef";

	out[0] = '0';
	out[1] = 'x';
	for (int i = ADDR_CHARS - 1; i > 1; i--, v >>= 4)
		out[i] = digits[v & 15];
}

static void bind_addr(sqlite3_stmt *stmt, int at, const struct opt_addr *addr, char *hex)
{
	if (!addr->set)
		return;
	render_addr(hex, addr->v);
	(void)sqlite3_bind_text(stmt, at, hex, ADDR_CHARS, SQLITE_STATIC);
}

static void bind_int(sqlite3_stmt *stmt, int at, const struct opt_int *i)
{
	if (i->set)
		(void)sqlite3_bind_int64(stmt, at, i->v);
}

static void bind_text(sqlite3_stmt *stmt, int at, const struct opt_text *text)
{
	if (text->p)
		(void)sqlite3_bind_text64(stmt, at, text->p, text->n, SQLITE_STATIC, SQLITE_UTF8);
}

// Parameters from `at` on; those that are absent stay NULL (the statement's bindings were cleared).
static void bind_row(sqlite3_stmt *stmt, int at, const struct table *t, const unsigned char *row,
		     char *hex)
{
	for (size_t i = 0; i < t->n_columns; i++, at++, hex += ADDR_CHARS) {
		const void *value = row + t->columns[i].offset;
		switch (t->columns[i].kind) {
		case COL_INT:
			bind_int(stmt, at, value);
			break;
		case COL_ADDR:
			bind_addr(stmt, at, value, hex);
			break;
		case COL_TEXT:
			bind_text(stmt, at, value);
			break;
		}
	}
}

typedef VEC(char) sql_text;

static void add(sql_text *sql, const char *s)
{
	for (; *s; s++)
		vec_push(sql, *s);
}

static sqlite3_stmt *prepare_insert(struct inserter *s, const struct table *t, size_t n_columns,
				    size_t n_rows)
{
	sqlite3_stmt *stmt = NULL;
	sql_text sql = {0};

	add(&sql, "INSERT INTO ");
	add(&sql, t->name);
	add(&sql, " VALUES");
	for (size_t i = 0; i < n_rows; i++) {
		add(&sql, i ? ",(?" : "(?");
		for (size_t c = 1; c < n_columns; c++)
			add(&sql, ",?");
		add(&sql, ")");
	}
	if (sqlite3_prepare_v3(s->db, sql.at, (int)sql.n, SQLITE_PREPARE_PERSISTENT, &stmt, NULL))
		fail(s);
	vec_fini(&sql);
	return stmt;
}

// Inserts staged rows [first, first + n), n being 1 or BATCH.
static void insert_rows(struct inserter *s, enum table_id id, size_t first, size_t n)
{
	const struct table *t = &schema_tables[id];
	struct stage *st = &s->stages[id];
	sqlite3_stmt *const *stmt = &st->insert[n == BATCH];
	int at = 1;

	if (s->sink.failed)
		return;
	(void)sqlite3_clear_bindings(*stmt);
	for (size_t i = 0; i < n; i++, at += (int)t->n_columns) {
		if (s->merged)
			(void)sqlite3_bind_int64(*stmt, at++, s->image);
		bind_row(*stmt, at, t, st->rows + (first + i) * t->row_size,
			 st->hex + i * t->n_columns * ADDR_CHARS);
	}
	if (sqlite3_step(*stmt) != SQLITE_DONE)
		fail(s);
	(void)sqlite3_reset(*stmt);
}

// The statement for n rows, made when it is first needed; false if that failed.
static bool prepare(struct inserter *s, enum table_id id, size_t n)
{
	sqlite3_stmt **stmt = &s->stages[id].insert[n == BATCH];
	const struct table *t = &schema_tables[id];

	if (!*stmt)
		*stmt = prepare_insert(s, t, t->n_columns + s->merged, n);
	return !s->sink.failed;
}

// Allocates nothing of ours but the statement for single rows, which mem_on_exhausted() may be in
// the middle of: rows go in one after the other, and leave the stage only when all are in.
static void flush(struct inserter *s, enum table_id id)
{
	struct stage *st = &s->stages[id];

	if (st->n > 0 && !prepare(s, id, st->n == BATCH ? BATCH : 1))
		return;
	if (st->n == BATCH)
		insert_rows(s, id, 0, BATCH);
	else
		for (size_t i = 0; i < st->n; i++)
			insert_rows(s, id, i, 1);
	st->n = 0;
	arena_reset(&st->texts);
}

static void keep_texts(const struct table *t, unsigned char *row, struct arena *a)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		struct opt_text *text = (void *)(row + t->columns[i].offset);
		if (t->columns[i].kind != COL_TEXT || !text->p)
			continue;
		const char *clean = text_for_database(a, text->p, text->n, &text->n);
		text->p = clean == text->p ? arena_strndup(a, clean, text->n) : clean;
	}
}

static void emit(struct sink *sink, enum table_id id, const void *row)
{
	struct inserter *s = (struct inserter *)sink;
	const struct table *t = &schema_tables[id];
	struct stage *st = &s->stages[id];

	if (sink->failed)
		return;
	if (!st->hex) {
		st->rows = mem_zalloc(BATCH, t->row_size);
		st->hex = mem_zalloc(BATCH * t->n_columns, ADDR_CHARS);
	}
	// before the last place is taken: when memory ends here, there is still room for a row
	if (st->n == BATCH - 1 && !prepare(s, id, BATCH))
		return;
	unsigned char *staged = st->rows + st->n * t->row_size;
	memcpy(staged, row, t->row_size);
	keep_texts(t, staged, &st->texts);
	if (++st->n == BATCH)
		flush(s, id);
}

// --- as others see it ---

struct inserter *inserter_new(sqlite3 *db)
{
	struct inserter *s = mem_zalloc(1, sizeof(*s));

	s->sink.emit = emit;
	s->db = db;
	return s;
}

struct sink *inserter_rows(struct inserter *s)
{
	return &s->sink;
}

const char *inserter_flush(struct inserter *s)
{
	for (unsigned id = 0; id < TABLE_COUNT && !s->sink.failed; id++)
		flush(s, (enum table_id)id);
	return s->sink.failed ? s->why : NULL;
}

void inserter_set_image(struct inserter *s, int64_t image)
{
	(void)inserter_flush(s);
	s->merged = true;
	s->image = image;
}

void inserter_add_image(struct inserter *s, const struct row_images *row)
{
	const struct table *t = &schema_images;
	sqlite3_stmt *stmt = prepare_insert(s, t, t->n_columns, 1);
	_cleanup_free_ char *hex = mem_alloc(t->n_columns * ADDR_CHARS);
	_cleanup_(arena_fini) struct arena a = {0};
	struct row_images clean = *row;

	keep_texts(t, (unsigned char *)&clean, &a);
	if (stmt) {
		bind_row(stmt, 1, t, (const unsigned char *)&clean, hex);
		if (sqlite3_step(stmt) != SQLITE_DONE)
			fail(s);
	}
	(void)sqlite3_finalize(stmt);
}

void inserter_free(struct inserter *s)
{
	if (!s)
		return;
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		for (size_t i = 0; i < 2; i++)
			(void)sqlite3_finalize(s->stages[id].insert[i]);
		mem_free(s->stages[id].rows);
		mem_free(s->stages[id].hex);
		arena_fini(&s->stages[id].texts);
	}
	mem_free(s);
}
