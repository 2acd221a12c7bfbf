// SPDX-License-Identifier: LGPL-2.1-or-later
// A sink that keeps rows as text.
#include "tests/unit/row_log.h"

#include "src/base/text.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

struct row_log_row {
	struct row_log_row *before;
	const char *const *values; // by column
};

static void mix(struct row_log *log, const void *p, size_t n)
{
	const unsigned char *b = p;

	for (size_t i = 0; i < n; i++)
		log->digest = (log->digest ^ b[i]) * 0x100000001b3;
}

static const char *text_value(struct row_log *log, struct arena *a, const struct opt_text *t)
{
	size_t n;

	if (!t->p)
		return NULL;
	const char *s = text_for_database(a, t->p, t->n, &n);
	mix(log, s, n);
	return arena_strndup(a, s, n);
}

static const char *value_of(struct row_log *log, struct arena *a, const struct column *c,
			    const void *row)
{
	const void *at = (const char *)row + c->offset;
	const struct opt_int *i = at;
	const struct opt_addr *addr = at;

	mix(log, c->name, strlen(c->name));
	switch (c->kind) {
	case COL_TEXT:
		return text_value(log, a, at);
	case COL_INT:
		mix(log, &i->v, i->set ? sizeof(i->v) : 0);
		return i->set ? arena_printf(a, "%" PRId64, i->v) : NULL;
	case COL_ADDR:
		mix(log, &addr->v, addr->set ? sizeof(addr->v) : 0);
		return addr->set ? arena_printf(a, "0x%016" PRIx64, addr->v) : NULL;
	}
	return NULL;
}

static void log_emit(struct sink *sink, enum table_id table, const void *row)
{
	struct row_log *log = (struct row_log *)sink;
	const struct table *t = &schema_tables[table];
	bool kept = !log->counts_only || table == TABLE_problems || table == TABLE_coverage;
	struct arena *a = kept ? &log->text : &log->scratch;
	uint64_t before = log->digest;
	const char **values = arena_alloc(a, t->n_columns * sizeof(*values));

	for (size_t i = 0; i < t->n_columns; i++)
		values[i] = value_of(log, a, &t->columns[i], row);
	if (table == TABLE_coverage)
		log->digest = before; // it has times
	log->n[table]++;
	if (kept) {
		struct row_log_row *r = arena_alloc(a, sizeof(*r));
		*r = (struct row_log_row){log->last[table], values};
		log->last[table] = r;
	}
	arena_reset(&log->scratch);
}

void row_log_init(struct row_log *log)
{
	*log = (struct row_log){.sink = {.emit = log_emit}, .digest = 0xcbf29ce484222325};
	memset(log->wanted, true, sizeof(log->wanted));
}

void row_log_fini(struct row_log *log)
{
	arena_fini(&log->text);
	arena_fini(&log->scratch);
}

const char *row_log_value(const struct row_log *log, enum table_id table, size_t i,
			  const char *column)
{
	const struct table *t = &schema_tables[table];
	const struct row_log_row *r = log->last[table];

	cr_assert(i < log->n[table], "%s has %zu rows", t->name, log->n[table]);
	for (size_t later = log->n[table] - 1; later > i; later--)
		r = r->before;
	for (size_t c = 0; c < t->n_columns; c++)
		if (strcmp(t->columns[c].name, column) == 0)
			return r->values[c];
	cr_assert_fail("%s has no column %s", t->name, column);
	return NULL;
}

size_t row_log_find(const struct row_log *log, enum table_id table, const char *column,
		    const char *value)
{
	for (size_t i = 0; i < log->n[table]; i++) {
		const char *v = row_log_value(log, table, i, column);
		if (v && strcmp(v, value) == 0)
			return i;
	}
	return log->n[table];
}

size_t row_log_search(const struct row_log *log, enum table_id table, const char *column,
		      const char *part)
{
	for (size_t i = 0; i < log->n[table]; i++) {
		const char *v = row_log_value(log, table, i, column);
		if (v && strstr(v, part))
			return i;
	}
	return log->n[table];
}

bool row_log_problem(const struct row_log *log, enum table_id table, const char *part)
{
	for (size_t i = 0; i < log->n[TABLE_problems]; i++) {
		const char *of = row_log_value(log, TABLE_problems, i, "table_name");
		const char *message = row_log_value(log, TABLE_problems, i, "message");
		if (strcmp(of, schema_tables[table].name) == 0 && strstr(message, part))
			return true;
	}
	return false;
}

const char *row_log_status(const struct row_log *log, enum table_id table)
{
	size_t i = row_log_find(log, TABLE_coverage, "table_name", schema_tables[table].name);

	return i < log->n[TABLE_coverage] ? row_log_value(log, TABLE_coverage, i, "status") : "";
}

const char *row_log_problems(struct row_log *log)
{
	const char *all = "";

	for (size_t i = 0; i < log->n[TABLE_problems] && strlen(all) < 4096; i++)
		all = arena_printf(&log->text, "%s\n%s %s: %s", all,
				   row_log_value(log, TABLE_problems, i, "severity"),
				   row_log_value(log, TABLE_problems, i, "table_name"),
				   row_log_value(log, TABLE_problems, i, "message"));
	return all;
}
