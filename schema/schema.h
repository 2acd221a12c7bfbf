// SPDX-License-Identifier: LGPL-2.1-or-later
// The database's tables, each declared once in schema/tables/NAME.def and listed in tables.def.
//
// From a declaration come: the row struct (struct row_NAME) that extractors fill, the descriptor
// that sinks walk to make DDL, INSERTs and documentation, and the enum value TABLE_NAME.
#ifndef VMI_SCHEMA_SCHEMA_H
#define VMI_SCHEMA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SCHEMA_VERSION = 1,
	SCHEMA_APPLICATION_ID = 0x564d4953,	   // VMIS
	SCHEMA_MERGED_APPLICATION_ID = 0x564d494d, // VMIM: of many images, see schema_images
};

// Values of a row: each may be absent, which becomes NULL.
struct opt_int {
	bool set;
	int64_t v;
};
struct opt_addr {
	bool set;
	uint64_t v;
};
struct opt_text { // borrowed until the sink returns; absent when p is NULL; any bytes
	const char *p;
	size_t n;
};

enum col_kind {
	COL_INT,  // struct opt_int  -> INTEGER
	COL_ADDR, // struct opt_addr -> TEXT, 0x and 16 lower-case hex digits
	COL_TEXT, // struct opt_text -> TEXT
};

#define ROW_TYPE_INT  struct opt_int
#define ROW_TYPE_ADDR struct opt_addr
#define ROW_TYPE_TEXT struct opt_text

// The row structs.
#define TABLE(name, doc)	   struct row_##name {
#define COL(table, kind, col, doc) ROW_TYPE_##kind col;
#define END_TABLE(name)                                                                            \
	}                                                                                          \
	;
#include "schema/tables.def"
#include "schema/tables/images.def"
#undef TABLE
#undef COL
#undef END_TABLE

enum table_id {
#define TABLE(name, doc) TABLE_##name,
#define COL(table, kind, col, doc)
#define END_TABLE(name)
#include "schema/tables.def"
#undef TABLE
#undef COL
#undef END_TABLE
	TABLE_COUNT
};

struct column {
	const char *name, *doc;
	enum col_kind kind;
	size_t offset; // in the row struct
};

struct table {
	const char *name, *doc;
	const struct column *columns;
	size_t n_columns, row_size;
};

extern const struct table schema_tables[TABLE_COUNT];

// What a database of many images has besides, where all other tables begin with a column `image`.
extern const struct table schema_images;

// The table's id by name, or TABLE_COUNT.
enum table_id schema_find(const char *name);

static inline struct opt_int some_int(int64_t v)
{
	return (struct opt_int){true, v};
}

static inline struct opt_addr some_addr(uint64_t v)
{
	return (struct opt_addr){true, v};
}

// A NUL-terminated string, or NULL for absent.
struct opt_text some_text(const char *s);

static inline struct opt_text some_bytes(const char *p, size_t n)
{
	return (struct opt_text){p, n};
}

// --- where rows go ---

// A destination of rows: SQLite, or a test's capture. emit copies what it needs. A failure (the
// disk is full) sets failed: later rows are dropped, and the walk ends.
struct sink {
	void (*emit)(struct sink *sink, enum table_id table, const void *row);
	bool failed;
};

#endif
