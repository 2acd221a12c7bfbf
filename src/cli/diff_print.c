// SPDX-License-Identifier: LGPL-2.1-or-later
// What changed, for people and as JSON.
#include "src/cli/diff.h"

#include "src/base/scope.h"
#include "src/base/text.h"
#include "src/cli/json_row.h"
#include "src/cli/terminal.h"

#include <inttypes.h>

// --- for people ---

static void print_value(const struct column *c, const void *row, FILE *out)
{
	const void *value = (const char *)row + c->offset;
	const struct opt_int *i = value;
	const struct opt_addr *x = value;
	const struct opt_text *t = value;
	_cleanup_(arena_fini) struct arena a = {0};

	if (c->kind == COL_INT && i->set)
		(void)fprintf(out, "%" PRId64, i->v);
	else if (c->kind == COL_ADDR && x->set)
		(void)fprintf(out, "0x%016" PRIx64, x->v);
	else if (c->kind == COL_TEXT && t->p && t->n > 0)
		(void)fputs(text_for_terminal(&a, t->p, t->n), out);
	else
		(void)fputs(c->kind == COL_TEXT && t->p ? "''" : "-", out);
}

static void print_changes(const struct diff_subject *s, const struct diff_result *r, FILE *out)
{
	const struct column *c;

	for (size_t i = 0; diff_next_column(s, r, &i, &c); i++) {
		(void)fprintf(out, "      %s: ", c->name);
		print_value(c, r->before, out);
		(void)fputs(" -> ", out);
		print_value(c, r->after, out);
		(void)fputc('\n', out);
	}
}

static void print_result(const struct diff_subject *s, const struct diff_result *r,
			 const struct paint *p, FILE *out)
{
	static const char marks[N_CHANGES] = " +-~";
	const char *colour = r->change == APPEARED ? p->good : r->change == GONE ? p->bad : "";

	(void)fprintf(out, "  %s%c%s", colour, marks[r->change], *colour ? p->off : "");
	for (size_t i = 0; s->shown[i]; i++) {
		(void)fputc(' ', out);
		print_value(diff_column(s, s->shown[i]), r->after ? r->after : r->before, out);
	}
	(void)fputc('\n', out);
	if (r->change == CHANGED)
		print_changes(s, r, out);
}

static void print_table(const struct diff_table *t, const struct paint *p, FILE *out)
{
	const struct diff_result *r;

	(void)fprintf(out, "%s%s%s: %zu appeared, %zu gone, %zu changed, %zu the same\n", p->label,
		      schema_tables[t->subject->table].name, p->off, t->count[APPEARED],
		      t->count[GONE], t->count[CHANGED], t->count[SAME]);
	vec_foreach (r, &t->results)
		print_result(t->subject, r, p, out);
}

void diff_print(const struct diff *d, const struct options *o, FILE *out)
{
	const struct paint p = paint_for(o->color, out);

	for (size_t i = 0; i < diff_n_subjects; i++)
		if (d->tables[i].subject)
			print_table(&d->tables[i], &p, out);
}

// --- as JSON ---

static void json_side(struct json *j, const char *key, const struct diff_side *side)
{
	const struct row_kernel_info *k = loaded_row(&side->loaded, TABLE_kernel_info, 0);
	const struct row_system_info *s = loaded_row(&side->loaded, TABLE_system_info, 0);
	const struct row_time *t = loaded_row(&side->loaded, TABLE_time, 0);
	const struct opt_text none = {0};
	const struct opt_int never = {0};

	json_open(j, key, '{');
	json_text(j, "file", side->word);
	json_value(j, "hostname", COL_TEXT, s ? &s->hostname : &none);
	json_value(j, "kernel", COL_TEXT, k ? &k->version : &none);
	json_value(j, "build_id", COL_TEXT, k ? &k->build_id : &none);
	json_value(j, "boot_ns", COL_INT, t ? &t->boot_ns : &never);
	json_value(j, "unix_ns", COL_INT, t ? &t->unix_ns : &never);
	json_close(j, '}');
}

static void json_changes(struct json *j, const struct diff_subject *s, const struct diff_result *r)
{
	const struct column *c;

	json_open(j, "changed", '{');
	for (size_t i = 0; diff_next_column(s, r, &i, &c); i++) {
		json_open(j, c->name, '{');
		json_value(j, "before", c->kind, (const char *)r->before + c->offset);
		json_value(j, "after", c->kind, (const char *)r->after + c->offset);
		json_close(j, '}');
	}
	json_close(j, '}');
}

static void json_result(struct json *j, const struct diff_subject *s, const struct diff_result *r)
{
	json_open(j, NULL, '{');
	json_text(j, "change", change_names[r->change]);
	if (r->change == CHANGED)
		json_changes(j, s, r);
	json_table_row(j, "row", &schema_tables[s->table], r->after ? r->after : r->before);
	json_close(j, '}');
}

static void json_table(struct json *j, const struct diff_table *t)
{
	const struct diff_result *r;

	json_open(j, schema_tables[t->subject->table].name, '{');
	for (size_t c = 0; c < N_CHANGES; c++)
		json_int(j, change_names[c], (int64_t)t->count[c]);
	json_open(j, "changes", '[');
	vec_foreach (r, &t->results)
		json_result(j, t->subject, r);
	json_close(j, ']');
	json_close(j, '}');
}

void diff_json(const struct diff *d, FILE *out)
{
	const char *const *w;
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_side(&j, "before", &d->sides[0]);
	json_side(&j, "after", &d->sides[1]);
	json_open(&j, "warnings", '[');
	vec_foreach (w, &d->warnings)
		json_text(&j, NULL, *w);
	json_close(&j, ']');
	json_open(&j, "tables", '{');
	for (size_t i = 0; i < diff_n_subjects; i++)
		if (d->tables[i].subject)
			json_table(&j, &d->tables[i]);
	json_close(&j, '}');
	json_close(&j, '}');
	json_fini(&j);
}
