// SPDX-License-Identifier: LGPL-2.1-or-later
// A scan of a virtual table: a statement on the image's own database in memory.
#ifndef VMI_EXTENSION_SCAN_H
#define VMI_EXTENSION_SCAN_H

#include "src/extension/images.h"

struct vmiscan_table {
	sqlite3_vtab base; // first: SQLite casts
	struct images *all;
	struct image_in_use *image;
	enum table_id id;
};

// Puts the error's message where SQLite looks for it.
int table_fail(struct vmiscan_table *t, const struct err *e);

// What xBestIndex makes of a query: see scan.c.
int scan_plan(sqlite3_vtab *base, sqlite3_index_info *info);

int scan_open(sqlite3_vtab *base, sqlite3_vtab_cursor **out);
int scan_close(sqlite3_vtab_cursor *base);
int scan_filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc,
		sqlite3_value **argv);
int scan_next(sqlite3_vtab_cursor *base);
int scan_eof(sqlite3_vtab_cursor *base);
int scan_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column);
int scan_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out);

#endif
