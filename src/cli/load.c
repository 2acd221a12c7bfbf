// SPDX-License-Identifier: LGPL-2.1-or-later
// Databases through src/db/source.h, images through src/analyse.
#include "src/cli/load.h"

#include "src/analyse/extract.h"
#include "src/base/text.h"
#include "src/cli/confine.h"
#include "src/db/source.h"

#include <string.h>

void load_confine(const struct options *o)
{
	struct sandbox_needs n = {0};

	for (int i = 0; i < o->n_words; i++) {
		struct analysis_options of = options_of_analysis(o, NULL);
		of.image = o->words[i];
		analysis_needs(&of, &n);
	}
	confine(o, &n);
}

// Nothing else is to be opened after the last word.
static bool is_last(const struct options *o, const char *word)
{
	return word == o->words[o->n_words - 1];
}

static void all_open(void *arg)
{
	confine_to_open_files(*(const struct options *const *)arg);
}

// --- a database ---

static struct err *load_database(const struct options *o, const char *path,
				 const bool wanted[TABLE_COUNT], struct sink *sink, bool *partial)
{
	struct source *s;

	TRY(source_open(path, &s));
	if (is_last(o, path))
		confine_to_open_files(o);
	struct err *e = source_is_partial(s, partial);
	for (unsigned id = 0; id < TABLE_COUNT && !e; id++)
		if (wanted[id])
			e = source_rows(s, (enum table_id)id, sink);
	source_close(s);
	return e;
}

// --- an image ---

static struct err *extract(struct analysis *a, const bool wanted[TABLE_COUNT], struct sink *sink,
			   bool *partial)
{
	struct outcome outcome = {.start_ns = wall_clock_ns()};
	struct tally tally;

	TRY(analysis_open(a));
	TRY(analysis_find_kernel(a));
	tally_init(&tally, sink, wanted, true);
	extract_tables(a, &outcome, wanted, &tally.sink);
	extract_end(a, &outcome, &tally);
	*partial = outcome.partial;
	return NULL;
}

static struct err *load_image(const struct options *o, const char *path,
			      const bool wanted[TABLE_COUNT], struct sink *sink, bool *partial)
{
	struct progress progress;
	struct analysis a;

	progress_init(&progress, !o->no_progress);
	struct analysis_options of = options_of_analysis(o, &progress);
	of.image = path;
	of.all_open = is_last(o, path) ? all_open : NULL;
	of.all_open_arg = &o;
	analysis_init(&a, &of);
	struct err *e = extract(&a, wanted, sink, partial);
	progress_clear(&progress);
	analysis_fini(&a);
	return e;
}

struct err *load_rows(const struct options *o, const char *word, const bool wanted[TABLE_COUNT],
		      struct sink *sink, bool *partial)
{
	*partial = false;
	return source_is_database(word) ? load_database(o, word, wanted, sink, partial)
					: load_image(o, word, wanted, sink, partial);
}

// --- rows that are kept ---

// As a database has them, so that an image and its database hold the same.
static void keep_texts(struct loaded *l, const struct table *t, unsigned char *row)
{
	for (size_t i = 0; i < t->n_columns; i++) {
		struct opt_text *text = (void *)(row + t->columns[i].offset);
		if (t->columns[i].kind != COL_TEXT || !text->p)
			continue;
		const char *clean = text_for_database(&l->texts, text->p, text->n, &text->n);
		text->p = clean == text->p ? arena_strndup(&l->texts, clean, text->n) : clean;
	}
}

static void emit(struct sink *sink, enum table_id id, const void *row)
{
	struct loaded *l = (struct loaded *)sink;
	const struct table *t = &schema_tables[id];
	struct loaded_table *to = &l->tables[id];

	if (!l->wanted[id])
		return;
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 64;
		to->rows = mem_grow(to->rows, to->cap, t->row_size);
	}
	memcpy(to->rows + to->n * t->row_size, row, t->row_size);
	keep_texts(l, t, to->rows + to->n++ * t->row_size);
}

void loaded_init(struct loaded *l, const bool wanted[TABLE_COUNT])
{
	*l = (struct loaded){.sink.emit = emit, .wanted = wanted};
}

void loaded_fini(struct loaded *l)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		mem_free(l->tables[id].rows);
	arena_fini(&l->texts);
}

const void *loaded_row(const struct loaded *l, enum table_id id, size_t i)
{
	const struct loaded_table *t = &l->tables[id];

	return i < t->n ? t->rows + i * schema_tables[id].row_size : NULL;
}
