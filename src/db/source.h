// SPDX-License-Identifier: LGPL-2.1-or-later
// A database as input, made by whoever: the way back from SQLite to rows.
//
// It is as hostile as an image. Its header must be that of our own databases; of its schema nothing
// runs (no view, trigger, generated column, virtual table or function: an authorizer refuses what
// is not the plain reading of a table); only tables and columns of ours are asked for, by name, and
// every value must be of its column's kind. It is opened read-only and as unchanging, and refused
// with a journal beside it. What rows hold together can't be more than the file is long.
#ifndef VMI_DB_SOURCE_H
#define VMI_DB_SOURCE_H

#include "schema/schema.h"
#include "src/base/err.h"

#include <stdbool.h>

struct source;

// Whether the file begins as SQLite's do; false if it can't be read.
bool source_is_database(const char *path);

// ERR_FORMAT: no database of vmiscan; ERR_UNSUPPORTED: one of another version, a merged one, or
// one with changes in a journal.
struct err *source_open(const char *path, struct source **out);
// All rows of a table in their order. Texts are the sink's until it returns.
struct err *source_rows(struct source *s, enum table_id id, struct sink *sink);
// Whether its table run says that not all of the image could be read.
struct err *source_is_partial(struct source *s, bool *partial);
void source_close(struct source *s);

#endif
