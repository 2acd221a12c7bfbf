// SPDX-License-Identifier: LGPL-2.1-or-later
// SQLite's authorizer. https://www.sqlite.org/c3ref/c_alter_table.html has the actions and what
// their arguments are.
#include "src/sql/guard.h"

#include <stdio.h>
#include <string.h>

// PRAGMAs that answer and change nothing; those of the second list do so without an argument.
static const char *const asking[] = {
	"table_info",	  "table_xinfo",      "table_list",	 "index_list",	    "index_info",
	"index_xinfo",	  "database_list",    "function_list",	 "module_list",	    "pragma_list",
	"collation_list", "foreign_key_list", "compile_options", "integrity_check", "quick_check",
};
static const char *const asking_alone[] = {
	"application_id", "user_version", "schema_version", "encoding", "page_count", "page_size",
};

static bool is_in(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (sqlite3_stricmp(list[i], name) == 0)
			return true;
	return false;
}

#define IS_IN(list, name) is_in((list), sizeof(list) / sizeof((list)[0]), (name))

static int refuse(struct guard *g, const char *what, const char *name)
{
	if (!g->refused[0])
		(void)snprintf(g->refused, sizeof(g->refused),
			       "%s%s%s is refused: what is here is only read", what,
			       name ? " " : "", name ? name : "");
	return SQLITE_DENY;
}

static int ask_pragma(struct guard *g, const char *name, const char *argument)
{
	if (IS_IN(asking, name) || (!argument && IS_IN(asking_alone, name)))
		return SQLITE_OK;
	return refuse(g, "PRAGMA", name);
}

static int ask_function(struct guard *g, const char *name)
{
	return sqlite3_stricmp(name, "load_extension") == 0 ? refuse(g, "load_extension()", NULL)
							    : SQLITE_OK;
}

// What changes something: the temporary database may be changed.
static int ask_change(struct guard *g, int action, const char *a, const char *database)
{
	if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
		return refuse(g, action == SQLITE_ATTACH ? "ATTACH" : "DETACH", NULL);
	if (action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT)
		return refuse(g, a, NULL);
	if (action == SQLITE_CREATE_VTABLE || action == SQLITE_DROP_VTABLE)
		return refuse(g, "a virtual table of one's own", NULL);
	if (database && strcmp(database, "temp") == 0)
		return SQLITE_OK;
	return refuse(g, "writing", NULL);
}

static int guard_ask(void *guard, int action, const char *a, const char *b, const char *database,
		     const char *inner)
{
	struct guard *g = guard;

	(void)inner;
	if (g->off)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
	case SQLITE_READ:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return ask_function(g, b);
	case SQLITE_PRAGMA:
		return ask_pragma(g, a, b);
	default:
		return ask_change(g, action, a, database);
	}
}

static void touch(sqlite3 *db, const char *prefix, const char *module)
{
	char sql[96];
	sqlite3_stmt *stmt = NULL;

	(void)snprintf(sql, sizeof(sql), "SELECT 1 FROM %s%s", prefix, module);
	(void)sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	(void)sqlite3_finalize(stmt);
}

void guard_set(struct guard *g, sqlite3 *db)
{
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++)
		touch(db, "pragma_", asking[i]);
	touch(db, "json_", "each");
	touch(db, "json_", "tree");
	(void)sqlite3_set_authorizer(db, guard_ask, g);
}

void guard_reset(struct guard *g)
{
	*g = (struct guard){0};
}
