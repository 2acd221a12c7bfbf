// SPDX-License-Identifier: LGPL-2.1-or-later
// SQL text out of the descriptors.
#include "schema/ddl.h"

#include "src/base/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

#define VIEW(name, table, doc, from)	 static const struct view_column columns_of_##name[] = {
#define VIEW_COL(view, column, sql, doc) {#column, sql, doc},
#define END_VIEW(name)                                                                             \
	}                                                                                          \
	;
#include "schema/views.def"
#undef VIEW
#undef VIEW_COL
#undef END_VIEW

const struct view schema_views[] = {
#define VIEW(name, table, doc, from)                                                               \
	{#name, doc, from, TABLE_##table, columns_of_##name, N_ELEMENTS(columns_of_##name)},
#define VIEW_COL(view, column, sql, doc)
#define END_VIEW(name)
#include "schema/views.def"
#undef VIEW
#undef VIEW_COL
#undef END_VIEW
};
const size_t schema_n_views = N_ELEMENTS(schema_views);

typedef VEC(char) text_buf;

__attribute__((format(printf, 2, 3))) static void add(text_buf *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	while (t->cap - t->n <= (size_t)n) {
		t->cap = t->cap ? t->cap * 2 : 4096;
		t->at = mem_grow(t->at, t->cap, 1);
	}
	va_start(ap, fmt);
	t->n += (size_t)vsnprintf(t->at + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
}

static const char *moved_to_arena(struct arena *a, text_buf *t)
{
	const char *s = arena_strndup(a, t->at, t->n);

	vec_fini(t);
	return s;
}

static const char *sql_type(enum col_kind kind)
{
	return kind == COL_INT ? "INTEGER" : "TEXT";
}

#define IMAGE_DOC "Number of the image, see images."

static void add_table(text_buf *out, const struct table *t, const char *first_columns)
{
	add(out, "CREATE TABLE %s ( -- %s\n%s", t->name, t->doc, first_columns);
	for (size_t i = 0; i < t->n_columns; i++) {
		const struct column *c = &t->columns[i];
		const char *comma = i + 1 < t->n_columns ? "," : "";
		add(out, "\t%s %s%s -- %s\n", c->name, sql_type(c->kind), comma, c->doc);
	}
	add(out, ") STRICT;\n");
}

static const char image_of[] = "{image: ";

// The column of the image's number, where a join has several.
static void add_image_column(text_buf *out, const struct view *view)
{
	const char *at = view->from;
	bool said = strncmp(at, image_of, strlen(image_of)) == 0;

	if (said)
		at += strlen(image_of);
	add(out, "\t%.*s AS image, -- " IMAGE_DOC "\n", said ? (int)strcspn(at, "}") : 5,
	    said ? at : "image");
}

// What is in braces is for merged databases; the one at the beginning names their column.
static void add_from(text_buf *out, const char *from, bool merged)
{
	if (strncmp(from, image_of, strlen(image_of)) == 0)
		from = strchr(from, '}') + 1;
	for (const char *open; (open = strchr(from, '{')); from = strchr(open, '}') + 1)
		add(out, "%.*s%.*s", (int)(open - from), from,
		    merged ? (int)strcspn(open + 1, "}") : 0, open + 1);
	add(out, "%s;\n", from);
}

static void add_view(text_buf *out, const struct view *view, bool merged)
{
	add(out, "CREATE VIEW %s AS SELECT -- %s\n", view->name, view->doc);
	if (merged)
		add_image_column(out, view);
	for (size_t i = 0; i < view->n_columns; i++) {
		const struct view_column *c = &view->columns[i];
		const char *comma = i + 1 < view->n_columns ? "," : "";
		add(out, "\t%s AS %s%s -- %s\n", c->sql, c->name, comma, c->doc);
	}
	add_from(out, view->from, merged);
}

const char *ddl_table(struct arena *a, enum table_id id)
{
	text_buf out = {0};

	add_table(&out, &schema_tables[id], "");
	return moved_to_arena(a, &out);
}

const char *ddl_view(struct arena *a, const struct view *view)
{
	text_buf out = {0};

	add_view(&out, view, false);
	return moved_to_arena(a, &out);
}

static void add_version(text_buf *out, int application_id)
{
	add(out, "PRAGMA application_id = %d;\nPRAGMA user_version = %d;\n", application_id,
	    SCHEMA_VERSION);
}

const char *ddl_all(struct arena *a)
{
	text_buf out = {0};

	add_version(&out, SCHEMA_APPLICATION_ID);
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		add(&out, "\n%s", ddl_table(a, (enum table_id)id));
	for (size_t i = 0; i < schema_n_views; i++)
		add(&out, "\n%s", ddl_view(a, &schema_views[i]));
	return moved_to_arena(a, &out);
}

const char *ddl_merged(struct arena *a)
{
	text_buf out = {0};

	add_version(&out, SCHEMA_MERGED_APPLICATION_ID);
	add_table(&out, &schema_images, "");
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		add_table(&out, &schema_tables[id], "\timage INTEGER NOT NULL, -- " IMAGE_DOC "\n");
	for (size_t i = 0; i < schema_n_views; i++)
		add_view(&out, &schema_views[i], true);
	return moved_to_arena(a, &out);
}

const char *ddl_merged_indices(struct arena *a)
{
	text_buf out = {0};

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		add(&out, "CREATE INDEX %s_image ON %s (image);\n", schema_tables[id].name,
		    schema_tables[id].name);
	return moved_to_arena(a, &out);
}
