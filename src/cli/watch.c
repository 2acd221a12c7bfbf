// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan watch`: one snapshot after another, and how often their tasks are of each class.
#include "src/cli/calls.h"

#include "src/base/scope.h"
#include "src/analyse/analyse.h"
#include "src/cli/confine.h"
#include "src/cli/json.h"
#include "src/cli/series.h"
#include "src/cli/terminal.h"
#include "src/phys/folder.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

struct watch {
	const struct options *opts;
	struct series series;
	struct json out; // if json
	bool damaged;	 // one of the images
};

// --- one snapshot ---

static void json_census(struct watch *w, const char *image, const struct census *c,
			const char *verdict)
{
	struct json *j = &w->out;

	json_open(j, NULL, '{');
	json_text(j, "image", image);
	json_text(j, "atomicity", verdict);
	json_int(j, "tasks", (int64_t)c->tasks);
	for (size_t i = 0; i < CENSUS_CLASSES; i++)
		json_int(
			j,
			census_classes[i].class ? census_classes[i].class : census_classes[i].scope,
			(int64_t)c->of[i].n);
	json_close(j, '}');
}

// "guest-07.raw: atomic-compatible, 107 tasks, 2 zombie, 1 fresh"
static void text_census(const char *image, const struct census *c, const char *verdict)
{
	print_escaped(stdout, image);
	(void)printf(": %s, %" PRIu64 " tasks", verdict, c->tasks);
	for (size_t i = 0; i < CENSUS_CLASSES; i++)
		if (c->of[i].n &&
		    (census_classes[i].class || !strcmp(census_classes[i].scope, "cross-view")))
			(void)printf(", %zu %s", c->of[i].n,
				     census_classes[i].class ? census_classes[i].class
							     : census_classes[i].scope);
	(void)putchar('\n');
	(void)fflush(stdout); // who reads along learns of each as it is done
}

static struct err *count_tasks(struct analysis *a, struct census *c)
{
	bool wanted[TABLE_COUNT];

	census_wanted(wanted);
	TRY(analysis_open(a));
	TRY(analysis_find_kernel(a));
	analysis_walk(a, wanted, &c->sink);
	return NULL;
}

static void report(struct watch *w, const struct analysis *a, const struct census *c)
{
	series_add(&w->series, c, a->atomicity);
	w->damaged = w->damaged || a->damaged || a->image->truncated;
	if (w->opts->json)
		json_census(w, a->opts.image, c, a->atomicity);
	else if (!w->opts->stats)
		text_census(a->opts.image, c, a->atomicity);
}

// An image that can't be read is one of a series, and does not end it.
static void look_at(struct watch *w, const char *image)
{
	struct progress progress;
	struct analysis a;
	struct census c;

	progress_init(&progress, !w->opts->no_progress);
	struct analysis_options opts = options_of_analysis(w->opts, &progress);
	opts.image = image;
	analysis_init(&a, &opts);
	census_init(&c);
	struct err *e = count_tasks(&a, &c);
	progress_clear(&progress);
	if (!e) {
		report(w, &a, &c);
	} else {
		w->series.unreadable++;
		say("%s", e->msg);
	}
	census_fini(&c);
	analysis_fini(&a);
}

// --- which snapshots ---

static struct err *look_into(struct watch *w, const char *path)
{
	_cleanup_(folder_fini) struct folder folder = {0};

	TRY(folder_list(path, &folder));
	for (size_t i = 0; i < folder.files.n; i++)
		look_at(w, folder.files.at[i]);
	return NULL;
}

static struct err *look_at_word(struct watch *w, const char *word)
{
	struct stat st;

	if (stat(word, &st) == 0 && S_ISDIR(st.st_mode))
		return look_into(w, word);
	look_at(w, word);
	return NULL;
}

// Names on standard input, one a line; each is looked at as it comes.
static struct err *look_at_list(struct watch *w)
{
	char line[PATH_MAX + 1];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			TRY(look_at_word(w, line));
	}
	return ferror(stdin) ? err_errno(ERR_IO, "standard input: can't be read") : NULL;
}

static struct err *look_at_all(struct watch *w)
{
	for (int i = 0; i < w->opts->n_words; i++) {
		const char *word = w->opts->words[i];
		TRY(strcmp(word, "-") == 0 ? look_at_list(w) : look_at_word(w, word));
	}
	if (w->series.snapshots == 0)
		return err_new(ERR_FORMAT,
			       "none of %" PRIu64 " snapshots could be read; give "
			       "images, or folders with images in them",
			       w->series.unreadable);
	return NULL;
}

// --- the end ---

static void json_share(struct json *j, const char *key, uint64_t k, uint64_t n)
{
	struct interval i = wilson(k, n);

	json_open(j, key, '{');
	json_int(j, "count", (int64_t)k);
	json_int(j, "of", (int64_t)n);
	json_double(j, "low", i.low);
	json_double(j, "high", i.high);
	json_close(j, '}');
}

static void json_stats(struct json *j, const struct series *s)
{
	json_open(j, "classes", '[');
	for (size_t i = 0; i < CENSUS_CLASSES; i++) {
		json_open(j, NULL, '{');
		json_text(j, "scope", census_classes[i].scope);
		json_text(j, "class", census_classes[i].class);
		json_share(j, "snapshots", s->with[i], s->snapshots);
		json_share(j, "tasks", s->tasks_of[i], s->tasks);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "verdicts", '{');
	for (size_t i = 0; i < SERIES_VERDICTS; i++)
		json_share(j, series_verdicts[i], s->verdicts[i], s->snapshots);
	json_close(j, '}');
}

static void json_begin(struct watch *w)
{
	json_init(&w->out, stdout);
	json_open(&w->out, NULL, '{');
	json_open(&w->out, "snapshots", '[');
}

static void json_end(struct watch *w)
{
	json_close(&w->out, ']');
	json_int(&w->out, "unreadable", (int64_t)w->series.unreadable);
	if (w->opts->stats)
		json_stats(&w->out, &w->series);
	json_close(&w->out, '}');
	json_fini(&w->out);
}

struct err *call_watch(const struct options *o, enum exit_status *status)
{
	struct watch w = {.opts = o};

	confine_to_reading(o);
	if (o->json)
		json_begin(&w);
	struct err *e = look_at_all(&w);
	if (o->json)
		json_end(&w);
	else if (!e && o->stats)
		series_text(&w.series, stdout);
	*status = w.damaged || w.series.unreadable ? EXIT_PARTIAL : EXIT_ANALYSED;
	return e;
}
