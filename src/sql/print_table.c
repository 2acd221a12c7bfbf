// SPDX-License-Identifier: LGPL-2.1-or-later
// A table with lines around it. Columns are as wide as what is in them; numbers stand to the right.
//
// So the rows wait until all are there, or until they are MOST_ROWS or MOST_BYTES: then the widths
// stay as they are, and what comes after them streams.
#include "src/sql/printer.h"

#include "src/base/text.h"
#include "src/base/vec.h"

#include <string.h>
#include <wchar.h>

enum { MOST_ROWS = 10000, MOST_BYTES = 64 << 20 };

struct cell {
	const char *text;
	size_t width;
};

struct grid {
	VEC(struct cell) waiting; // whole rows
	struct arena texts;
	size_t *widths;	 // of columns
	bool *numbers;	 // nothing else is in the column
	bool is_open;	 // the head is printed, the widths are settled
	locale_t before; // of the thread
};

// --- widths ---

static uint32_t decode(const char *s, size_t len)
{
	static const unsigned char lead_mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t c = (unsigned char)*s & lead_mask[len];

	for (size_t i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3fU);
	return c;
}

// How many places a terminal gives to a plain text. Under a locale that knows UTF-8.
static size_t width_of(const char *s)
{
	size_t width = 0, left = strlen(s);

	for (size_t len; left > 0; s += len, left -= len) {
		len = text_utf8_len(s, left);
		int w = len > 1 ? wcwidth((wchar_t)decode(s, len)) : 1;
		len = len ? len : 1;
		width += w < 0 ? 1 : (size_t)w;
	}
	return width;
}

static void set_width(struct grid *g, size_t column, struct cell *c)
{
	c->width = width_of(c->text);
	if (!g->is_open && c->width > g->widths[column])
		g->widths[column] = c->width;
}

// --- lines ---

static void put_rule(const struct printer *p, const char *left, const char *middle,
		     const char *right)
{
	for (size_t i = 0; i < p->n_columns; i++) {
		(void)fputs(i ? middle : left, p->out);
		for (size_t n = p->grid->widths[i] + 2; n > 0; n--)
			(void)fputs("─", p->out);
	}
	(void)fprintf(p->out, "%s\n", right);
}

static void put_cell(const struct printer *p, size_t column, const struct cell *c, bool right)
{
	size_t room = p->grid->widths[column];
	int pad = (int)(room > c->width ? room - c->width : 0);

	if (right)
		(void)fprintf(p->out, "│ %*s%s ", pad, "", c->text);
	else
		(void)fprintf(p->out, "│ %s%*s ", c->text, pad, "");
}

static void put_row(const struct printer *p, const struct cell *row)
{
	for (size_t i = 0; i < p->n_columns; i++)
		put_cell(p, i, &row[i], p->grid->numbers[i]);
	(void)fputs("│\n", p->out);
}

static void open_grid(struct printer *p)
{
	struct grid *g = p->grid;

	g->is_open = true;
	put_rule(p, "┌", "┬", "┐");
	for (size_t i = 0; i < p->n_columns; i++) {
		const struct cell head = {p->names[i], width_of(p->names[i])};
		put_cell(p, i, &head, g->numbers[i]);
	}
	(void)fputs("│\n", p->out);
	put_rule(p, "├", "┼", "┤");
}

static void flush(struct printer *p)
{
	struct grid *g = p->grid;

	if (!g->is_open)
		open_grid(p);
	for (size_t i = 0; i < g->waiting.n; i += p->n_columns)
		put_row(p, &g->waiting.at[i]);
	g->waiting.n = 0;
	arena_reset(&g->texts);
}

// --- the mode ---

void table_begin(struct printer *p, sqlite3_stmt *stmt)
{
	struct grid *g = arena_alloc(&p->result, sizeof(*g));

	*g = (struct grid){0};
	p->grid = g;
	g->before = uselocale(p->utf8);
	g->widths = arena_alloc(&p->result, p->n_columns * sizeof(*g->widths));
	g->numbers = arena_alloc(&p->result, p->n_columns * sizeof(*g->numbers));
	for (size_t i = 0; i < p->n_columns; i++) {
		const char *name = sqlite3_column_name(stmt, (int)i);
		p->names[i] = text_for_terminal(&p->result, name, strlen(name));
		g->widths[i] = width_of(p->names[i]);
		g->numbers[i] = true;
	}
}

static void note_type(struct grid *g, size_t column, int type)
{
	if (!g->is_open && (type == SQLITE_TEXT || type == SQLITE_BLOB))
		g->numbers[column] = false;
}

void table_row(struct printer *p, sqlite3_stmt *stmt)
{
	struct grid *g = p->grid;

	for (size_t i = 0; i < p->n_columns; i++) {
		note_type(g, i, sqlite3_column_type(stmt, (int)i));
		const char *text = printer_plain(p, stmt, i);
		struct cell *c = vec_add(&g->waiting);
		c->text = arena_strndup(&g->texts, text, strlen(text));
		set_width(g, i, c);
	}
	if (g->is_open || g->waiting.n >= MOST_ROWS * p->n_columns || g->texts.used >= MOST_BYTES)
		flush(p);
}

void table_end(struct printer *p)
{
	struct grid *g = p->grid;

	flush(p);
	put_rule(p, "└", "┴", "┘");
	vec_fini(&g->waiting);
	arena_fini(&g->texts);
	(void)uselocale(g->before);
	p->grid = NULL;
}
