// SPDX-License-Identifier: LGPL-2.1-or-later
// The sink that makes the SQLite database of a run.
#ifndef VMI_DB_SQLITE_SINK_H
#define VMI_DB_SQLITE_SINK_H

#include "schema/schema.h"
#include "src/base/err.h"

#include <stdbool.h>

struct sqlite_sink;

// An empty database with all tables and views, under a temporary name beside path. force: path may
// be there already.
struct err *sqlite_sink_new(const char *path, bool force, struct sqlite_sink **out);

// Where to emit rows. Each table keeps the order of its rows. After a failure (sink->failed) rows
// are dropped, and sqlite_sink_finish() tells why.
struct sink *sqlite_sink_rows(struct sqlite_sink *s);

// Writes what is left, syncs, and gives the file its name.
struct err *sqlite_sink_finish(struct sqlite_sink *s);

// Without a finish before it nothing stays on disk.
void sqlite_sink_free(struct sqlite_sink *s);

// A database of many images: every table begins with a column `image`, whose value for the rows to
// come is set before them, and the table images has a row for each.
struct err *sqlite_sink_new_merged(const char *path, bool force, struct sqlite_sink **out);
void sqlite_sink_set_image(struct sqlite_sink *s, int64_t image);
void sqlite_sink_add_image(struct sqlite_sink *s, const struct row_images *row);

// The version of SQLite that does the work.
const char *sqlite_sink_library(void);

#endif
