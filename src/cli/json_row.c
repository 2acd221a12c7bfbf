// SPDX-License-Identifier: LGPL-2.1-or-later
// Rows as objects of their table's columns.
#include "src/cli/json_row.h"

void json_value(struct json *j, const char *key, enum col_kind kind, const void *value)
{
	const struct opt_int *i = value;
	const struct opt_addr *a = value;
	const struct opt_text *t = value;

	if (kind == COL_INT && i->set)
		json_int(j, key, i->v);
	else if (kind == COL_ADDR && a->set)
		json_hex(j, key, a->v);
	else if (kind == COL_TEXT && t->p)
		json_bytes(j, key, t->p, t->n);
	else
		json_text(j, key, NULL);
}

void json_table_row(struct json *j, const char *key, const struct table *t, const void *row)
{
	json_open(j, key, '{');
	for (size_t i = 0; i < t->n_columns; i++)
		json_value(j, t->columns[i].name, t->columns[i].kind,
			   (const char *)row + t->columns[i].offset);
	json_close(j, '}');
}
