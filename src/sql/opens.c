// SPDX-License-Identifier: LGPL-2.1-or-later
// EXPLAIN lists the program of a statement; rows come out of a table by a cursor alone, and
// OpenRead makes it. The authorizer is not asked about all of them: not about columns of USING, for
// one.
#include "src/sql/opens.h"

#include "src/base/scope.h"

#include <string.h>

enum { OPCODE = 1, P2 = 3, P3 = 4, MAIN = 0 }; // columns; the number of the main database

static void scope_finalize(sqlite3_stmt **stmt)
{
	(void)sqlite3_finalize(*stmt);
}

static bool is_open(sqlite3_stmt *program)
{
	const char *opcode = (const char *)sqlite3_column_text(program, OPCODE);

	return opcode && strcmp(opcode, "OpenRead") == 0 && sqlite3_column_int(program, P3) == MAIN;
}

// The table whose tree begins at this page.
static void note_table(sqlite3_stmt *roots, sqlite3_int64 page, bool reads[TABLE_COUNT])
{
	(void)sqlite3_bind_int64(roots, 1, page);
	if (sqlite3_step(roots) == SQLITE_ROW) {
		enum table_id id = schema_find((const char *)sqlite3_column_text(roots, 0));
		if (id < TABLE_COUNT)
			reads[id] = true;
	}
	(void)sqlite3_reset(roots);
}

bool opens_of(sqlite3 *db, sqlite3_stmt *stmt, bool reads[TABLE_COUNT])
{
	_cleanup_free_ char *explain = mem_printf("EXPLAIN %s", sqlite3_sql(stmt));
	_cleanup_(scope_finalize) sqlite3_stmt *program = NULL, *roots = NULL;

	memset(reads, 0, TABLE_COUNT * sizeof(*reads));
	if (sqlite3_stmt_isexplain(stmt))
		return true;
	if (sqlite3_prepare_v2(db, explain, -1, &program, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db,
			       "SELECT tbl_name FROM sqlite_schema WHERE type IN ('table', 'index')"
			       " AND rootpage = ?1",
			       -1, &roots, NULL) != SQLITE_OK)
		return false;
	int rc;
	while ((rc = sqlite3_step(program)) == SQLITE_ROW)
		if (is_open(program))
			note_table(roots, sqlite3_column_int64(program, P2), reads);
	return rc == SQLITE_DONE;
}
