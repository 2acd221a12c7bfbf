// SPDX-License-Identifier: LGPL-2.1-or-later
// Temporary virtual tables and views, all of them or none.
#include "src/extension/attach.h"

#include "schema/ddl.h"
#include "src/extension/guard.h"

#include <string.h>

// "option=value" as the source text of an argument: the value quoted, so that it is nothing else.
static void add_option(sqlite3_str *sql, const char *option)
{
	const char *equals = strchr(option, '=');

	sqlite3_str_appendf(sql, ", %.*s=%Q", (int)(equals - option), option, equals + 1);
}

static char *table_sql(enum table_id id, int argc, sqlite3_value **argv)
{
	sqlite3_str *sql = sqlite3_str_new(NULL);
	const char *name = schema_tables[id].name;

	sqlite3_str_appendf(sql, "CREATE VIRTUAL TABLE temp.\"%w\" USING vmiscan(%Q, %Q", name,
			    sqlite3_value_text(argv[0]), name);
	for (int i = 1; i < argc; i++)
		add_option(sql, (const char *)sqlite3_value_text(argv[i]));
	sqlite3_str_appendall(sql, ")");
	return sqlite3_str_finish(sql);
}

struct view_text {
	const struct view *view;
	char *sql;
};

static struct err *write_view(void *arg)
{
	struct view_text *text = arg;
	struct arena a = {0};

	text->sql = sqlite3_mprintf("CREATE TEMP%s", ddl_view(&a, text->view) + strlen("CREATE"));
	arena_fini(&a);
	return NULL;
}

// NULL: no memory.
static char *view_sql(const struct view *view)
{
	struct mem_pool pool = {.limit = SIZE_MAX};
	struct view_text text = {view, NULL};
	bool dead;

	(void)guard_run(&pool, write_view, &text, &dead);
	mem_pool_fini(&pool);
	return text.sql;
}

// Frees the text.
static int run(sqlite3 *db, char *sql, char **why)
{
	int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, why) : SQLITE_NOMEM;

	sqlite3_free(sql);
	return rc;
}

static int create_all(sqlite3 *db, int argc, sqlite3_value **argv, char **why)
{
	int rc = SQLITE_OK;

	for (unsigned id = 0; id < TABLE_COUNT && rc == SQLITE_OK; id++)
		rc = run(db, table_sql((enum table_id)id, argc, argv), why);
	for (size_t i = 0; i < schema_n_views && rc == SQLITE_OK; i++)
		rc = run(db, view_sql(&schema_views[i]), why);
	return rc;
}

static bool is_option(const char *text)
{
	size_t name = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz_") : 0;

	return name > 0 && text[name] == '=';
}

static bool are_options(int argc, sqlite3_value **argv)
{
	for (int i = 1; i < argc; i++)
		if (!is_option((const char *)sqlite3_value_text(argv[i])))
			return false;
	return argc > 0 && sqlite3_value_type(argv[0]) == SQLITE_TEXT;
}

void attach_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	sqlite3 *db = sqlite3_context_db_handle(context);
	char *why = NULL;

	if (!are_options(argc, argv)) {
		sqlite3_result_error(context, "vmiscan_attach() takes 'image', 'option=value', ...",
				     -1);
		return;
	}
	(void)sqlite3_exec(db, "SAVEPOINT vmiscan_attach", NULL, NULL, NULL);
	int rc = create_all(db, argc, argv, &why);
	if (rc != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK TO vmiscan_attach", NULL, NULL, NULL);
	(void)sqlite3_exec(db, "RELEASE vmiscan_attach", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		sqlite3_result_int(context, (int)(TABLE_COUNT + schema_n_views));
	else
		sqlite3_result_error(context, why ? why : sqlite3_errstr(rc), -1);
	sqlite3_free(why);
}
