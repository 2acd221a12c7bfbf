// SPDX-License-Identifier: LGPL-2.1-or-later
// The descriptors of all tables, out of the same declarations as the row structs.
#include "schema/schema.h"

#include <string.h>

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

#define TABLE(name, doc) static const struct column columns_of_##name[] = {
#define COL(table, kind, column, doc)                                                              \
	{#column, doc, COL_##kind, offsetof(struct row_##table, column)},
#define END_TABLE(name)                                                                            \
	}                                                                                          \
	;
#include "schema/tables.def"
#include "schema/tables/images.def"
#undef TABLE
#undef COL
#undef END_TABLE

const struct table schema_tables[TABLE_COUNT] = {
#define TABLE(name, doc)                                                                           \
	[TABLE_##name] = {#name, doc, columns_of_##name, N_ELEMENTS(columns_of_##name),            \
			  sizeof(struct row_##name)},
#define COL(table, kind, column, doc)
#define END_TABLE(name)
#include "schema/tables.def"
#undef TABLE
#undef COL
#undef END_TABLE
};

const struct table schema_images = {
#define TABLE(name, doc)                                                                           \
#name, doc, columns_of_##name, N_ELEMENTS(columns_of_##name), sizeof(struct row_##name)
#define COL(table, kind, column, doc)
#define END_TABLE(name)
#include "schema/tables/images.def"
#undef TABLE
#undef COL
#undef END_TABLE
};

enum table_id schema_find(const char *name)
{
	unsigned id = 0;

	while (id < TABLE_COUNT && strcmp(schema_tables[id].name, name) != 0)
		id++;
	return (enum table_id)id;
}

struct opt_text some_text(const char *s)
{
	return (struct opt_text){s, s ? strlen(s) : 0};
}
