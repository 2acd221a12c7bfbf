// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows of a word of the command line, be it a database of ours or an image, which is analysed for
// just the tables that are wanted.
#ifndef VMI_CLI_LOAD_H
#define VMI_CLI_LOAD_H

#include "src/base/vec.h"
#include "src/cli/options.h"

// Into the sandbox with what reading all words of the command line takes; load_rows() gives up
// that, too, when the last of them is open.
void load_confine(const struct options *o);

// The word's rows of the wanted tables, in the order of the tables. *partial: the image is damaged,
// or its database says so.
struct err *load_rows(const struct options *o, const char *word, const bool wanted[TABLE_COUNT],
		      struct sink *sink, bool *partial);

// --- rows that are kept ---

struct loaded_table {
	unsigned char *rows; // structs of the table's row type
	size_t n, cap;
};

// A sink that keeps all rows and their texts.
struct loaded {
	struct sink sink;   // first: emit() casts back
	const bool *wanted; // [TABLE_COUNT]
	struct loaded_table tables[TABLE_COUNT];
	struct arena texts;
};

void loaded_init(struct loaded *l, const bool wanted[TABLE_COUNT]);
void loaded_fini(struct loaded *l);
// Row i of the table, or the only one; NULL if there is none.
const void *loaded_row(const struct loaded *l, enum table_id id, size_t i);

#endif
