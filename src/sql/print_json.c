// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON in ASCII: numbers are numbers, NULL is null, and what is no UTF-8 is \xNN in a string, as
// everywhere in the database.
#include "src/sql/printer.h"

#include "src/base/json_quote.h"

#include <string.h>

static bool is_taken(const struct printer *p, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p->names[i], name) == 0)
			return true;
	return false;
}

// A name that comes twice would hide a value: the second is NAME:1, as in SQLite's subqueries.
static const char *unique_name(struct printer *p, size_t column, const char *name)
{
	const char *quoted = json_quote(&p->result, name, strlen(name));

	for (unsigned i = 1; is_taken(p, column, quoted); i++) {
		const char *next = arena_printf(&p->result, "%s:%u", name, i);
		quoted = json_quote(&p->result, next, strlen(next));
	}
	return quoted;
}

void json_begin(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++)
		p->names[i] = unique_name(p, i, sqlite3_column_name(stmt, (int)i));
}

// Infinite numbers have no place in JSON; one that is too large for a double reads as infinite.
static const char *real_text(const char *text)
{
	if (strcmp(text, "Inf") == 0)
		return "1e999";
	return strcmp(text, "-Inf") == 0 ? "-1e999" : text;
}

static const char *value_text(struct printer *p, sqlite3_stmt *stmt, size_t column)
{
	int type = sqlite3_column_type(stmt, (int)column);
	size_t n;
	const char *text = printer_text(p, stmt, column, &n);

	if (!text)
		return "null";
	if (type == SQLITE_INTEGER)
		return text;
	return type == SQLITE_FLOAT ? real_text(text) : json_quote(&p->row, text, n);
}

static void put_object(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++)
		(void)fprintf(p->out, "%c%s:%s", i ? ',' : '{', p->names[i],
			      value_text(p, stmt, i));
	(void)fputc('}', p->out);
}

void json_row(struct printer *p, sqlite3_stmt *stmt)
{
	(void)fputs(p->n_rows ? ",\n" : "[", p->out);
	put_object(p, stmt);
}

void json_end(struct printer *p)
{
	(void)fputs(p->n_rows ? "]\n" : "[]\n", p->out);
}

void jsonl_row(struct printer *p, sqlite3_stmt *stmt)
{
	put_object(p, stmt);
	(void)fputc('\n', p->out);
}
