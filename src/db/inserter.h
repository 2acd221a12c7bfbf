// SPDX-License-Identifier: LGPL-2.1-or-later
// A sink that puts rows into a database that has the tables already, of whatever kind it is.
#ifndef VMI_DB_INSERTER_H
#define VMI_DB_INSERTER_H

#include "schema/schema.h"
#include "src/db/sqlite.h"

struct inserter;

struct inserter *inserter_new(sqlite3 *db);

// Where to emit rows. Each table keeps the order of its rows. After a failure (sink->failed) rows
// are dropped, and inserter_flush() tells why.
struct sink *inserter_rows(struct inserter *i);

// Puts in what is left. NULL, or why some row is not there, in words that live as long as i.
const char *inserter_flush(struct inserter *i);

// Of a database of many images: the number that the rows to come begin with, and the row of one.
void inserter_set_image(struct inserter *i, int64_t image);
void inserter_add_image(struct inserter *i, const struct row_images *row);

void inserter_free(struct inserter *i); // NULL is fine; before the database is closed

// Why the last call of SQLite failed, in words. db may be NULL.
const char *sqlite_cause(sqlite3 *db);

#endif
