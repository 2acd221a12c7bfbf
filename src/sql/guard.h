// SPDX-License-Identifier: LGPL-2.1-or-later
// What a statement may do: SQLite asks while it compiles it.
//
// Reading is allowed, and so are temporary tables and views, which live in memory. Whatever writes,
// opens files or loads code is not.
#ifndef VMI_SQL_GUARD_H
#define VMI_SQL_GUARD_H

#include "src/db/sqlite.h"

#include <stdbool.h>

struct guard {
	char refused[160]; // what it wanted to do, in words; "" if nothing was refused
	bool off;	   // what comes is ours
};

// Before a statement is compiled.
void guard_reset(struct guard *g);

// From here on SQLite asks. Table-valued functions are touched before: when one is first used it
// declares its columns, which looks like a table being created.
void guard_set(struct guard *g, sqlite3 *db);

#endif
