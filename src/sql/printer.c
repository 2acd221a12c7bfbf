// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of modes, and what they share.
#include "src/sql/printer.h"

#include "src/base/text.h"

#include <string.h>

static void nothing(struct printer *p)
{
	(void)p;
}

const struct output_mode output_modes[] = {
	{"table", "lines and columns for people", table_begin, table_row, table_end},
	{"csv", "RFC 4180, safe to open in a spreadsheet", csv_begin, csv_row, nothing},
	{"json", "an array of objects", json_begin, json_row, json_end},
	{"jsonl", "an object a line", json_begin, jsonl_row, nothing},
	{"markdown", "a table of GitHub's Markdown", markdown_begin, markdown_row, nothing},
	{0},
};

const struct output_mode *output_mode_find(const char *name)
{
	for (const struct output_mode *m = output_modes; m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

void printer_init(struct printer *p, const struct output_mode *mode, FILE *out, bool to_terminal)
{
	*p = (struct printer){.mode = mode, .out = out, .to_terminal = to_terminal};
	p->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void printer_fini(struct printer *p)
{
	arena_fini(&p->result);
	arena_fini(&p->row);
	if (p->utf8)
		freelocale(p->utf8);
}

void printer_begin(struct printer *p, sqlite3_stmt *stmt)
{
	p->n_columns = (size_t)sqlite3_column_count(stmt);
	p->n_rows = 0;
	p->names = arena_alloc(&p->result, p->n_columns * sizeof(*p->names));
	p->mode->begin(p, stmt);
}

void printer_row(struct printer *p, sqlite3_stmt *stmt)
{
	p->mode->row(p, stmt);
	p->n_rows++;
	arena_reset(&p->row);
}

void printer_end(struct printer *p)
{
	if (p->names)
		p->mode->end(p);
	p->names = NULL;
	arena_reset(&p->result);
	(void)fflush(p->out);
}

static const char *blob_text(struct arena *a, const unsigned char *bytes, size_t n, size_t *out_n)
{
	static const char digits[] = "0123456789abcdef";
	char *out = arena_alloc(a, 2 * n + 4), *d = out;

	*d++ = 'X';
	*d++ = '\'';
	for (size_t i = 0; i < n; i++) {
		*d++ = digits[bytes[i] >> 4];
		*d++ = digits[bytes[i] & 15];
	}
	*d++ = '\'';
	*d = '\0';
	*out_n = (size_t)(d - out);
	return out;
}

const char *printer_text(struct printer *p, sqlite3_stmt *stmt, size_t column, size_t *n)
{
	int c = (int)column, type = sqlite3_column_type(stmt, c);

	*n = 0;
	if (type == SQLITE_NULL)
		return NULL;
	if (type == SQLITE_BLOB) {
		const void *bytes = sqlite3_column_blob(stmt, c);
		return blob_text(&p->row, bytes, (size_t)sqlite3_column_bytes(stmt, c), n);
	}
	const char *text = (const char *)sqlite3_column_text(stmt, c);
	*n = (size_t)sqlite3_column_bytes(stmt, c);
	return text ? text : "";
}

const char *printer_plain(struct printer *p, sqlite3_stmt *stmt, size_t column)
{
	size_t n;
	const char *text = printer_text(p, stmt, column, &n);

	return text ? text_for_terminal(&p->row, text, n) : "NULL";
}
