// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows laid down column by column, as the page's data are: {"n":2,"pid":[1,2],"$name":[0,7]}.
//
// A column of text has $ before its name and holds places in the page's array of strings. A column
// whose rows are all alike is its one value instead of an array.
#ifndef VMI_REPORT_COLUMNS_H
#define VMI_REPORT_COLUMNS_H

#include "schema/schema.h"
#include "src/report/intern.h"
#include "src/report/text.h"

// A value: NULL, a number, or the id of a string. All of its bytes are set, so that rows of cells
// can be compared as bytes.
struct cell {
	enum { CELL_NULL, CELL_INT, CELL_STRING } kind;
	uint32_t zero;
	int64_t v;
};

struct shown_column {
	const char *name;
	bool is_text;
};

struct columns {
	VEC(struct shown_column) columns;
	VEC(struct cell) cells; // row by row
	size_t n_rows;
};

// Zero-initialised is without columns; they are added before the first row.
void columns_add(struct columns *c, const char *name, bool is_text);
void columns_fini(struct columns *c);
// A row of as many cells as there are columns.
void columns_add_row(struct columns *c, const struct cell *row);
void columns_put(const struct columns *c, page_text *out);

// The value of a row that is to be emitted, as a cell.
struct cell cell_of(struct intern *strings, const struct column *c, const void *row);

#endif
