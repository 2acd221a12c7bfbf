// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan report`: a database, or what is in an image, as a page for a browser.
#include "src/cli/calls.h"

#include "src/analyse/extract.h"
#include "src/base/scope.h"
#include "src/cli/confine.h"
#include "src/cli/progress.h"
#include "src/cli/terminal.h"
#include "src/db/output.h"
#include "src/db/source.h"
#include "src/report/report.h"

#include <string.h>

struct job {
	const struct options *opts;
	const char *output;
	struct progress progress;
	struct report *page;
	bool partial;
};

// The output without -o: the name with .html, in the current directory.
static char *default_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return mem_printf("%s.html", slash ? slash + 1 : path);
}

// Nothing that is read may be written over.
static struct err *check_output(const struct job *j)
{
	const struct options *o = j->opts;

	TRY(output_check(j->output, o->image, o->force));
	for (size_t i = 0; i < o->parts.n; i++)
		TRY(output_check(j->output, o->parts.at[i], o->force));
	return NULL;
}

// --- a database ---

static struct err *read_tables(struct source *s, struct sink *rows)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		TRY(source_rows(s, (enum table_id)id, rows));
	return NULL;
}

static struct err *of_database(struct job *j)
{
	struct source *s;

	confine_to_databases(j->opts, j->opts->words, 1);
	TRY(source_open(j->opts->image, &s));
	confine_to_open_files(j->opts);
	struct err *e = source_is_partial(s, &j->partial);
	if (!e)
		e = read_tables(s, report_rows(j->page));
	source_close(s);
	return e;
}

// --- an image ---

static struct err *open_image(struct job *j, struct analysis *a)
{
	confine_to_image(j->opts);
	TRY(analysis_open(a));
	TRY(analysis_find_kernel(a));
	confine_to_open_files(j->opts);
	return NULL;
}

static void extract(struct job *j, struct analysis *a)
{
	struct outcome outcome = {.start_ns = wall_clock_ns()};
	const bool *all = j->opts->wanted; // there is no --tables here
	struct tally tally;

	tally_init(&tally, report_rows(j->page), all, false);
	extract_tables(a, &outcome, all, &tally.sink);
	extract_end(a, &outcome, &tally);
	j->partial = outcome.partial;
	progress_clear(&j->progress);
	if (outcome.partial)
		say("%s: %s; see Coverage in %s for what is missing", j->opts->image,
		    outcome_words(a, &outcome), j->output);
}

static struct err *of_image(struct job *j)
{
	const struct analysis_options options = options_of_analysis(j->opts, &j->progress);
	struct analysis a;

	analysis_init(&a, &options);
	struct err *e = open_image(j, &a);
	if (!e)
		extract(j, &a);
	analysis_fini(&a);
	return e;
}

static struct err *make(struct job *j)
{
	TRY(check_output(j));
	TRY(report_new(j->output, j->opts->force, &j->page));
	TRY(source_is_database(j->opts->image) ? of_database(j) : of_image(j));
	return report_finish(j->page);
}

struct err *call_report(const struct options *o, enum exit_status *status)
{
	_cleanup_free_ char *output = o->output ? mem_strdup(o->output) : default_name(o->image);
	struct job j = {.opts = o, .output = output};

	progress_init(&j.progress, !o->no_progress);
	struct err *e = make(&j);
	progress_clear(&j.progress);
	report_free(j.page);
	*status = j.partial ? EXIT_PARTIAL : EXIT_ANALYSED;
	return e;
}
