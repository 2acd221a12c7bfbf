// SPDX-License-Identifier: LGPL-2.1-or-later
// A table of GitHub's Markdown, in which no text of the image makes anything but its characters.
#include "src/sql/printer.h"

#include "src/base/text.h"

#include <string.h>
#include <strings.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool ends_in_www(const char *begin, const char *end)
{
	return end - begin >= 3 && strncasecmp(end - 3, "www", 3) == 0;
}

// What makes a link of bare text (http://, www., mail@host), a mention or an :emoji:. Most
// renderers look for these after they have taken backslashes off, but never in code.
static bool is_for_code(const char *begin, const char *at)
{
	return *at == '@' || (*at == ':' && (at[1] == '/' || is_letter(at[1]))) ||
	       (*at == '.' && ends_in_www(begin, at));
}

// Any punctuation may have a backslash before it (spec.commonmark.org, 2.4). A point before a
// letter may be that of a host.
static bool is_escaped(const char *at)
{
	return strchr("\\`*_[]<>|~&$^", *at) || (*at == '.' && is_letter(at[1]));
}

static void put_cell(struct printer *p, const char *plain)
{
	bool in_code = false;

	(void)fputs("| ", p->out);
	for (const char *at = plain; *at || in_code; at += *at != '\0') {
		if (is_for_code(plain, at) != in_code) {
			(void)fputc('`', p->out);
			in_code = !in_code;
		}
		if (!*at)
			break;
		if (!in_code && is_escaped(at))
			(void)fputc('\\', p->out);
		(void)fputc(*at, p->out);
	}
	(void)fputc(' ', p->out);
}

void markdown_begin(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		const char *name = sqlite3_column_name(stmt, (int)i);
		put_cell(p, text_for_terminal(&p->row, name, strlen(name)));
	}
	(void)fputs("|\n", p->out);
	for (size_t i = 0; i < p->n_columns; i++)
		(void)fputs("|---", p->out);
	(void)fputs("|\n", p->out);
	arena_reset(&p->row);
}

void markdown_row(struct printer *p, sqlite3_stmt *stmt)
{
	for (size_t i = 0; i < p->n_columns; i++)
		put_cell(p, printer_plain(p, stmt, i));
	(void)fputs("|\n", p->out);
}
