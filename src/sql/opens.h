// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tables a statement opens, as its own program tells.
#ifndef VMI_SQL_OPENS_H
#define VMI_SQL_OPENS_H

#include "schema/schema.h"
#include "src/db/sqlite.h"

// The tables of the main database that the compiled statement reads, by whatever names, views and
// subqueries. False if SQLite does not say.
bool opens_of(sqlite3 *db, sqlite3_stmt *stmt, bool reads[TABLE_COUNT]);

#endif
