// SPDX-License-Identifier: LGPL-2.1-or-later
// The rows of a result, in one of several forms. Every text may be an attacker's.
#ifndef VMI_SQL_PRINTER_H
#define VMI_SQL_PRINTER_H

#include "src/base/arena.h"
#include "src/db/sqlite.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>

struct printer;

struct output_mode {
	const char *name, *doc;
	void (*begin)(struct printer *p, sqlite3_stmt *stmt);
	void (*row)(struct printer *p, sqlite3_stmt *stmt);
	void (*end)(struct printer *p);
};

extern const struct output_mode output_modes[]; // one without a name ends them

// By name; NULL if there is none such.
const struct output_mode *output_mode_find(const char *name);

struct printer {
	const struct output_mode *mode;
	FILE *out;
	bool to_terminal; // nothing that acts on it may be printed, in any mode
	// Of the result under way.
	size_t n_columns, n_rows;
	const char **names; // of columns, as the mode prints them; in the result's arena
	struct arena result, row;
	struct grid *grid; // of the table
	locale_t utf8;	   // in which characters have widths; 0 if the system has none
};

void printer_init(struct printer *p, const struct output_mode *mode, FILE *out, bool to_terminal);
void printer_fini(struct printer *p);

void printer_begin(struct printer *p, sqlite3_stmt *stmt);
void printer_row(struct printer *p, sqlite3_stmt *stmt);
void printer_end(struct printer *p);

// What the modes share.

// The value as text, NULL for NULL; a blob is X'..' as SQL writes it. In the row's arena or
// SQLite's.
const char *printer_text(struct printer *p, sqlite3_stmt *stmt, size_t column, size_t *n);
// The same with nothing in it that acts on a terminal.
const char *printer_plain(struct printer *p, sqlite3_stmt *stmt, size_t column);

// The modes of a kind, for output_modes.
void table_begin(struct printer *p, sqlite3_stmt *stmt);
void table_row(struct printer *p, sqlite3_stmt *stmt);
void table_end(struct printer *p);
void markdown_begin(struct printer *p, sqlite3_stmt *stmt);
void markdown_row(struct printer *p, sqlite3_stmt *stmt);
void csv_begin(struct printer *p, sqlite3_stmt *stmt);
void csv_row(struct printer *p, sqlite3_stmt *stmt);
void json_begin(struct printer *p, sqlite3_stmt *stmt);
void json_row(struct printer *p, sqlite3_stmt *stmt);
void json_end(struct printer *p);
void jsonl_row(struct printer *p, sqlite3_stmt *stmt);

#endif
