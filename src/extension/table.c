// SPDX-License-Identifier: LGPL-2.1-or-later
// CREATE VIRTUAL TABLE [NAME] USING vmiscan('image' [, 'table'] [, option=value]...).
#include "src/extension/table.h"

#include "src/extension/scan.h"

enum { OWN_NAME = 2 }; // of the arguments

int table_fail(struct vmiscan_table *t, const struct err *e)
{
	sqlite3_free(t->base.zErrMsg);
	t->base.zErrMsg = sqlite3_mprintf("%s", e->msg);
	// SQLITE_NOMEM would lose the message.
	return t->image->interrupted ? SQLITE_INTERRUPT : SQLITE_ERROR;
}

// The columns as the database would have them; the table's name means nothing.
static int declare(sqlite3 *db, enum table_id id)
{
	const struct table *t = &schema_tables[id];
	sqlite3_str *sql = sqlite3_str_new(db);

	sqlite3_str_appendall(sql, "CREATE TABLE x(");
	for (size_t i = 0; i < t->n_columns; i++)
		sqlite3_str_appendf(sql, "%s\"%w\" %s", i ? "," : "", t->columns[i].name,
				    t->columns[i].kind == COL_INT ? "INTEGER" : "TEXT");
	sqlite3_str_appendall(sql, ")");
	char *text = sqlite3_str_finish(sql);
	int rc = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
	sqlite3_free(text);
	return rc;
}

static int make(sqlite3 *db, struct images *all, struct arguments *a, enum table_id id,
		struct vmiscan_table **out)
{
	struct vmiscan_table *t = sqlite3_malloc(sizeof(*t));

	if (!t)
		return SQLITE_NOMEM;
	*t = (struct vmiscan_table){.all = all, .id = id, .image = images_take(all, a)};
	int rc = t->image ? declare(db, id) : SQLITE_NOMEM;
	if (rc != SQLITE_OK) {
		if (t->image)
			images_drop(all, t->image);
		sqlite3_free(t);
		return rc;
	}
	*out = t;
	return SQLITE_OK;
}

// For a table that is in the schema already: the image is looked at when it is asked for.
static int connect_table(sqlite3 *db, void *all, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **why)
{
	struct arguments a;
	struct vmiscan_table *t = NULL;
	int rc = SQLITE_ERROR;

	if (arguments_parse(&a, argc, argv, why)) {
		const char *name = a.value[ARG_TABLE] ? a.value[ARG_TABLE] : argv[OWN_NAME];
		enum table_id id = schema_find(name);
		if (id < TABLE_COUNT)
			rc = make(db, all, &a, id, &t);
		else
			*why = sqlite3_mprintf("vmiscan: there is no table %s; the second argument "
					       "names one, else the table's own name does",
					       name);
	}
	arguments_fini(&a);
	*out = (sqlite3_vtab *)t;
	return rc;
}

static int destroy(sqlite3_vtab *base)
{
	struct vmiscan_table *t = (struct vmiscan_table *)base;

	images_drop(t->all, t->image);
	sqlite3_free(t);
	return SQLITE_OK;
}

// A new table whose image can't be opened is not made.
static int create(sqlite3 *db, void *all, int argc, const char *const *argv, sqlite3_vtab **out,
		  char **why)
{
	int rc = connect_table(db, all, argc, argv, out, why);

	if (rc != SQLITE_OK)
		return rc;
	const struct err *e = image_use(((struct vmiscan_table *)*out)->image);
	if (!e)
		return SQLITE_OK;
	*why = sqlite3_mprintf("%s", e->msg);
	rc = ((struct vmiscan_table *)*out)->image->interrupted ? SQLITE_INTERRUPT : SQLITE_ERROR;
	(void)destroy(*out);
	*out = NULL;
	return rc;
}

// What was extracted stays: the table may be connected again.
static int disconnect(sqlite3_vtab *base)
{
	struct vmiscan_table *t = (struct vmiscan_table *)base;

	images_leave(t->image);
	sqlite3_free(t);
	return SQLITE_OK;
}

const sqlite3_module table_module = {
	.iVersion = 1,
	.xCreate = create,
	.xConnect = connect_table,
	.xBestIndex = scan_plan,
	.xDisconnect = disconnect,
	.xDestroy = destroy,
	.xOpen = scan_open,
	.xClose = scan_close,
	.xFilter = scan_filter,
	.xNext = scan_next,
	.xEof = scan_eof,
	.xColumn = scan_column,
	.xRowid = scan_rowid,
};
