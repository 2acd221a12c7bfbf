// SPDX-License-Identifier: LGPL-2.1-or-later
// CSV of RFC 4180: CRLF ends a line, a header comes first, and what has a comma, a quote or a line
// end in it is quoted. NULL is an empty field, an empty text "".
//
// A spreadsheet takes a text that begins with = + - @ or a control character for a formula, and the
// text may be an attacker's: an apostrophe is put before it, unless it is a number. Who needs the
// very bytes takes json.
#include "src/sql/printer.h"

#include "src/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *text, size_t n)
{
	char *end;

	if (n == 0 || strspn(text, "+-.0123456789eE") != n)
		return false;
	(void)strtod(text, &end);
	return end == text + n;
}

static bool is_formula(const char *text, size_t n)
{
	return n > 0 && *text && strchr("=+-@\t\r\n", *text) && !is_number(text, n);
}

static bool needs_quotes(const char *text, size_t n)
{
	return n == 0 || memchr(text, ',', n) || memchr(text, '"', n) || memchr(text, '\n', n) ||
	       memchr(text, '\r', n) || *text == ' ' || text[n - 1] == ' ';
}

static void put_field(struct printer *p, const char *text, size_t n)
{
	bool formula = is_formula(text, n), quotes = needs_quotes(text, n);

	if (p->to_terminal) {
		text = text_for_terminal(&p->row, text, n);
		n = strlen(text);
	}
	if (quotes)
		(void)fputc('"', p->out);
	if (formula)
		(void)fputc('\'', p->out);
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '"')
			(void)fputc('"', p->out);
		(void)fputc(text[i], p->out);
	}
	if (quotes)
		(void)fputc('"', p->out);
}

void csv_begin(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		const char *name = sqlite3_column_name(stmt, (int)i);
		if (i)
			(void)fputc(',', p->out);
		put_field(p, name, strlen(name));
	}
	(void)fputs("\r\n", p->out);
	arena_reset(&p->row);
}

void csv_row(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		size_t n;
		const char *text = printer_text(p, stmt, i, &n);
		if (i)
			(void)fputc(',', p->out);
		if (text)
			put_field(p, text, n);
	}
	(void)fputs("\r\n", p->out);
}
