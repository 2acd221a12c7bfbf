// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan is text, "USED:COLUMN,COLUMN...": in hex the columns whose values are asked for, as
// SQLite's colUsed has them, then those that an argument of the scan is equal to.
//
// Every scan that a statement begins with is opened before the first is filtered: so all tables of
// a join are extracted at once. A cursor that is filtered again is the inner side of a join, and
// gets an index.
#include "src/extension/scan.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 64 };

struct scan {
	sqlite3_vtab_cursor base; // first: SQLite casts
	sqlite3_stmt *rows;	  // NULL: none yet
	const char *plan;	  // that it is made of; SQLite's, which outlives the cursor
	uint64_t left_out;	  // of whose columns these are not asked for
	bool at_end;
	unsigned filtered; // how often
};

static struct vmiscan_table *table_of(const sqlite3_vtab_cursor *base)
{
	return (struct vmiscan_table *)base->pVtab;
}

static struct scan *scan_of(sqlite3_vtab_cursor *base)
{
	return (struct scan *)base;
}

// --- planning ---

static const char *column_name(enum table_id id, int column)
{
	return column < 0 ? "rowid" : schema_tables[id].columns[column].name;
}

// A collation that is not the default would find more.
static bool can_use(sqlite3_index_info *info, int i)
{
	return info->aConstraint[i].usable &&
	       info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ &&
	       sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") == 0;
}

int scan_plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
	sqlite3_str *plan = sqlite3_str_new(NULL);
	int n = 0;

	(void)base;
	sqlite3_str_appendf(plan, "%llx:", info->colUsed);
	for (int i = 0; i < info->nConstraint && n < MOST_ARGUMENTS; i++)
		if (can_use(info, i)) {
			sqlite3_str_appendf(plan, "%d,", info->aConstraint[i].iColumn);
			info->aConstraintUsage[i].argvIndex = ++n;
		}
	info->estimatedRows = n ? 20 : 10000;
	info->estimatedCost = n ? 40 : 20000;
	info->idxStr = sqlite3_str_finish(plan);
	info->needToFreeIdxStr = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

// --- scanning ---

int scan_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
	const struct vmiscan_table *t = (struct vmiscan_table *)base;
	struct scan *c = sqlite3_malloc(sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	*c = (struct scan){.at_end = true};
	t->image->pending[t->id] = true;
	*out = &c->base;
	return SQLITE_OK;
}

int scan_close(sqlite3_vtab_cursor *base)
{
	const struct vmiscan_table *t = table_of(base);
	struct scan *c = scan_of(base);

	t->image->pending[t->id] = false;
	if (!t->image->dead) // else it is finalized already
		(void)sqlite3_finalize(c->rows);
	sqlite3_free(c);
	return SQLITE_OK;
}

// Of a table of more than 64 columns the last bit stands for all from the 64th on.
static bool is_used(sqlite3_uint64 used, size_t column)
{
	return used >> (column < 63 ? column : 63) & 1;
}

// The next column of a plan; false at its end.
static bool next_column(const char **plan, int *column)
{
	char *end;

	if (!**plan)
		return false;
	*column = (int)strtol(*plan, &end, 10);
	*plan = end + 1;
	return true;
}

static void add_conditions(sqlite3_str *sql, const struct vmiscan_table *t, const char *plan,
			   uint64_t left_out)
{
	const char *before = " WHERE";
	int column;

	for (int n = 0; next_column(&plan, &column); n++) {
		if (left_out >> n & 1)
			continue;
		sqlite3_str_appendf(sql, "%s \"%w\" = ?%d", before, column_name(t->id, column),
				    n + 1);
		before = " AND";
	}
}

static char *query_of(const struct vmiscan_table *t, const char *plan, uint64_t left_out)
{
	char *columns;
	sqlite3_uint64 used = strtoull(plan, &columns, 16);
	const struct table *table = &schema_tables[t->id];
	sqlite3_str *sql = sqlite3_str_new(NULL);

	sqlite3_str_appendall(sql, "SELECT rowid");
	for (size_t i = 0; i < table->n_columns; i++)
		sqlite3_str_appendf(sql, is_used(used, i) ? ",\"%w\"" : ",NULL",
				    table->columns[i].name);
	sqlite3_str_appendf(sql, " FROM \"%w\"", table->name);
	add_conditions(sql, t, columns + 1, left_out);
	return sqlite3_str_finish(sql);
}

static struct err *sqlite_failure(sqlite3 *db)
{
	return err_new(ERR_INTERNAL, "vmiscan: %s", sqlite3_errmsg(db));
}

static struct err *prepare(const struct vmiscan_table *t, struct scan *c)
{
	sqlite3 *db = t->image->db->db;
	char *sql = query_of(t, c->plan, c->left_out);

	(void)sqlite3_finalize(c->rows);
	c->rows = NULL;
	if (!sql)
		return err_new(ERR_LIMIT, "out of memory");
	int rc = sqlite3_prepare_v2(db, sql, -1, &c->rows, NULL);
	sqlite3_free(sql);
	return rc == SQLITE_OK ? NULL : sqlite_failure(db);
}

// Of the first column of the plan; without it the join is only slower.
static void make_index(const struct vmiscan_table *t, const char *plan)
{
	const char *table = schema_tables[t->id].name, *columns = strchr(plan, ':') + 1;
	int column;

	if (!next_column(&columns, &column) || column < 0)
		return;
	const char *name = column_name(t->id, column);
	char *sql = sqlite3_mprintf("CREATE INDEX IF NOT EXISTS \"%w of %w\" ON \"%w\" (\"%w\")",
				    name, table, table, name);
	if (sql)
		(void)sqlite3_exec(t->image->db->db, sql, NULL, NULL, NULL);
	sqlite3_free(sql);
}

// Where a text is compared with a number, the host may take the text for one, and find more: it
// compares all rows once more itself, if they come.
static uint64_t find_doubtful(const struct vmiscan_table *t, const char *plan, sqlite3_value **argv)
{
	const char *columns = strchr(plan, ':') + 1;
	uint64_t doubtful = 0;
	int column;

	for (int n = 0; next_column(&columns, &column); n++) {
		int type = sqlite3_value_type(argv[n]);
		bool number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
		if (number && column >= 0 && schema_tables[t->id].columns[column].kind != COL_INT)
			doubtful |= 1ULL << n;
	}
	return doubtful;
}

static int step(sqlite3_vtab_cursor *base)
{
	struct scan *c = scan_of(base);

	if (table_of(base)->image->dead) // by another statement's need; c->rows went with it
		return table_fail(table_of(base), image_load(table_of(base)->image));
	int rc = sqlite3_step(c->rows);
	c->at_end = rc != SQLITE_ROW;
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return SQLITE_OK;
	return table_fail(table_of(base), sqlite_failure(sqlite3_db_handle(c->rows)));
}

// One cursor may be filtered by several plans, for the parts of an OR.
static bool is_ready(const struct scan *c, const char *plan, uint64_t left_out)
{
	return c->rows && c->left_out == left_out && strcmp(c->plan, plan) == 0;
}

static struct err *begin(struct vmiscan_table *t, struct scan *c, const char *plan,
			 uint64_t left_out)
{
	TRY(image_load(t->image));
	if (c->filtered++ == 1)
		make_index(t, plan);
	if (is_ready(c, plan, left_out))
		return NULL;
	c->plan = plan;
	c->left_out = left_out;
	return prepare(t, c);
}

int scan_filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
		sqlite3_value **argv)
{
	struct vmiscan_table *t = table_of(base);
	struct scan *c = scan_of(base);

	(void)number;
	c->at_end = true;
	if (!t->image->dead)
		(void)sqlite3_reset(c->rows);
	const struct err *e = begin(t, c, plan, find_doubtful(t, plan, argv));
	if (e)
		return table_fail(t, e);
	for (int i = 0; i < argc; i++)
		if (!(c->left_out >> i & 1))
			(void)sqlite3_bind_value(c->rows, i + 1, argv[i]);
	return step(base);
}

int scan_next(sqlite3_vtab_cursor *base)
{
	return step(base);
}

int scan_eof(sqlite3_vtab_cursor *base)
{
	return scan_of(base)->at_end;
}

int scan_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	if (table_of(base)->image->dead)
		return SQLITE_ERROR;
	sqlite3_result_value(context, sqlite3_column_value(scan_of(base)->rows, column + 1));
	return SQLITE_OK;
}

int scan_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	if (table_of(base)->image->dead)
		return SQLITE_ERROR;
	*out = sqlite3_column_int64(scan_of(base)->rows, 0);
	return SQLITE_OK;
}
