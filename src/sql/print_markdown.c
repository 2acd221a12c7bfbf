// SPDX-License-Identifier: LGPL-2.1-or-later
// A table of GitHub's Markdown, in which no text of the image can make a link, a picture or HTML.
#include "src/sql/printer.h"

#include "src/base/text.h"

#include <string.h>

// Any punctuation may have a backslash before it (spec.commonmark.org, 2.4).
static void put_cell(struct printer *p, const char *plain)
{
	(void)fputs("| ", p->out);
	for (; *plain; plain++) {
		if (strchr("\\`*_[]<>|~&$", *plain))
			(void)fputc('\\', p->out);
		(void)fputc(*plain, p->out);
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
