// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables and views as SQL, documented: what `vmiscan schema` prints and each database holds.
#ifndef VMI_SCHEMA_DDL_H
#define VMI_SCHEMA_DDL_H

#include "schema/schema.h"

#include "src/base/arena.h"

// A view: like a table to a query, but computed.
struct view {
	const char *name, *doc, *from;
	enum table_id source; // what it is made of
	const struct view_column {
		const char *name, *sql, *doc;
	} * columns;
	size_t n_columns;
};

extern const struct view schema_views[];
extern const size_t schema_n_views;

// One CREATE statement with its comments inside, so that they stay in sqlite_schema; ends in ";\n".
// In the arena.
const char *ddl_table(struct arena *a, enum table_id id);
const char *ddl_view(struct arena *a, const struct view *view);

// All of it, with the PRAGMAs that tell the version.
const char *ddl_all(struct arena *a);

// The same of a database of many images: the table images, and a column `image` before the others.
const char *ddl_merged(struct arena *a);
// Its indices by that column, for when all rows are in.
const char *ddl_merged_indices(struct arena *a);

#endif
