// SPDX-License-Identifier: LGPL-2.1-or-later
// Columns as JSON.
#include "src/report/columns.h"

#include <inttypes.h>
#include <stdio.h>

void columns_add(struct columns *c, const char *name, bool is_text)
{
	vec_push(&c->columns, ((struct shown_column){name, is_text}));
}

void columns_fini(struct columns *c)
{
	vec_fini(&c->columns);
	vec_fini(&c->cells);
}

void columns_add_row(struct columns *c, const struct cell *row)
{
	for (size_t i = 0; i < c->columns.n; i++)
		vec_push(&c->cells, row[i]);
	c->n_rows++;
}

static struct cell cell_of_addr(struct intern *strings, uint64_t addr)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "0x%016" PRIx64, addr);

	return (struct cell){.kind = CELL_STRING, .v = (int64_t)intern(strings, text, (size_t)n)};
}

struct cell cell_of(struct intern *strings, const struct column *c, const void *row)
{
	const void *at = (const char *)row + c->offset;
	const struct opt_int *i = at;
	const struct opt_addr *addr = at;
	const struct opt_text *text = at;

	if (c->kind == COL_INT && i->set)
		return (struct cell){.kind = CELL_INT, .v = i->v};
	if (c->kind == COL_ADDR && addr->set)
		return cell_of_addr(strings, addr->v);
	if (c->kind == COL_TEXT && text->p)
		return (struct cell){.kind = CELL_STRING,
				     .v = (int64_t)intern(strings, text->p, text->n)};
	return (struct cell){.kind = CELL_NULL};
}

static const struct cell *cell_at(const struct columns *c, size_t row, size_t column)
{
	return &c->cells.at[row * c->columns.n + column];
}

static bool is_constant(const struct columns *c, size_t column)
{
	const struct cell *first = cell_at(c, 0, column);

	for (size_t row = 1; row < c->n_rows; row++) {
		const struct cell *other = cell_at(c, row, column);
		if (other->kind != first->kind || other->v != first->v)
			return false;
	}
	return true;
}

static void put_cell(page_text *out, const struct cell *cell)
{
	if (cell->kind == CELL_NULL)
		put(out, "null");
	else
		put_json_int(out, cell->v);
}

static void put_array(page_text *out, const struct columns *c, size_t column)
{
	put(out, "[");
	for (size_t row = 0; row < c->n_rows; row++) {
		put(out, row ? "," : "");
		put_cell(out, cell_at(c, row, column));
	}
	put(out, "]");
}

void columns_put(const struct columns *c, page_text *out)
{
	put(out, "{\"n\":");
	put_json_int(out, (int64_t)c->n_rows);
	for (size_t i = 0; i < c->columns.n && c->n_rows > 0; i++) {
		put(out, c->columns.at[i].is_text ? ",\"$" : ",\"");
		put(out, c->columns.at[i].name);
		put(out, "\":");
		if (is_constant(c, i))
			put_cell(out, cell_at(c, 0, i));
		else
			put_array(out, c, i);
	}
	put(out, "}");
}
