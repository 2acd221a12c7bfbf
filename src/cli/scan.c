// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan IMAGE`: image in, database and summary out.
#include "src/cli/scan.h"

#include "src/analyse/extract.h"
#include "src/base/scope.h"
#include "src/cli/confine.h"
#include "src/cli/hash.h"
#include "src/cli/terminal.h"
#include "src/db/output.h"
#include "src/db/sqlite_sink.h"

#include <stdlib.h>

struct scan {
	const struct options *opts;
	struct progress progress;
	struct analysis analysis;
	struct outcome outcome;
	struct sqlite_sink *db;
	struct tally tally;
	scan_report *report;
	void *report_arg;
	int64_t begun_ns;
	char sha256[SHA256_TEXT], beside_sha256[SHA256_TEXT];
};

// The scan under way, for the handler that has no argument.
static struct scan *active;

static struct err *open_database(struct scan *s)
{
	TRY(sqlite_sink_new(s->opts->output, s->opts->force, &s->db));
	tally_init(&s->tally, sqlite_sink_rows(s->db), s->opts->wanted, s->opts->reproducible);
	return NULL;
}

// The rows that can only be known at the end, and the end. It takes little memory, and can't be
// gone through twice: if there is none, out_of_memory() has nothing more to save.
static struct err *finish(struct scan *s)
{
	active = NULL;
	mem_set_limit(SIZE_MAX);
	extract_end(&s->analysis, &s->outcome, &s->tally);
	TRY(sqlite_sink_finish(s->db));
	progress_clear(&s->progress);
	const struct summary summary = {s->opts, &s->analysis, &s->outcome, &s->tally,
					progress_now_ns() - s->begun_ns};
	s->report(s->report_arg, &summary);
	return NULL;
}

static void scan_fini(struct scan *s)
{
	active = NULL;
	mem_on_exhausted(NULL);
	progress_clear(&s->progress);
	sqlite_sink_free(s->db);
	for (size_t i = 0; i < s->outcome.part_sha256.n; i++)
		mem_free(s->outcome.part_sha256.at[i]);
	vec_fini(&s->outcome.part_sha256);
	analysis_fini(&s->analysis);
}

// --max-memory, or the machine's: what was read so far becomes the database. Does not return.
static void out_of_memory(size_t asked)
{
	struct scan *s = active;

	if (!s)
		return; // a second time, or at the end: mem.c gives up
	active = NULL;
	s->outcome.limit_bytes = asked;
	struct err *e = s->db ? NULL : open_database(s);
	if (!e)
		e = finish(s);
	progress_clear(&s->progress);
	if (e)
		say("%s", e->msg);
	sqlite_sink_free(s->db);
	exit(e ? (int)exit_status_of(e) : EXIT_PARTIAL);
}

static struct err *hash_beside(struct scan *s)
{
	const struct io *beside = s->analysis.image->beside;

	if (!beside)
		return NULL;
	TRY(hash_sha256(beside->path, &s->progress, s->beside_sha256));
	s->outcome.beside_sha256 = s->beside_sha256;
	return NULL;
}

static struct err *hash_parts(struct scan *s)
{
	for (size_t i = 0; i < s->opts->parts.n; i++) {
		TRY(hash_sha256(s->opts->parts.at[i], &s->progress, s->sha256));
		vec_push(&s->outcome.part_sha256, mem_strdup(s->sha256));
	}
	return NULL;
}

// Nothing that is read may be written over.
static struct err *check_output(const struct scan *s)
{
	const struct options *o = s->opts;

	TRY(output_check(o->output, o->image, o->force));
	for (size_t i = 0; i < o->parts.n; i++)
		TRY(output_check(o->output, o->parts.at[i], o->force));
	return NULL;
}

static struct err *prepare(struct scan *s)
{
	TRY(check_output(s));
	TRY(open_database(s));
	confine_to_image(s->opts);
	TRY(analysis_open(&s->analysis));
	if (s->opts->sha256) {
		TRY(hash_parts(s));
		TRY(hash_sha256(s->opts->image, &s->progress, s->sha256));
		s->outcome.sha256 = s->sha256;
		TRY(hash_beside(s));
	}
	TRY(analysis_find_kernel(&s->analysis));
	confine_to_open_files(s->opts);
	return NULL;
}

static struct err *run(struct scan *s)
{
	TRY(prepare(s));
	extract_tables(&s->analysis, &s->outcome, s->opts->wanted, &s->tally.sink);
	progress_clear(&s->progress);
	return finish(s);
}

struct err *scan_image(const struct options *o, scan_report *report, void *arg,
		       enum exit_status *status)
{
	static struct scan s;
	_cleanup_(arena_fini) struct arena arena = {0};

	s = (struct scan){
		.opts = o,
		.report = report,
		.report_arg = arg,
		.begun_ns = progress_now_ns(),
		.outcome = {.start_ns = wall_clock_ns(), .argv = options_as_json(o, &arena)}};
	progress_init(&s.progress, !o->quiet && !o->no_progress);
	const struct analysis_options options = options_of_analysis(o, &s.progress);
	analysis_init(&s.analysis, &options);
	active = &s;
	mem_on_exhausted(out_of_memory);
	if (o->max_memory)
		mem_set_limit(o->max_memory);
	struct err *e = run(&s);
	*status = s.outcome.partial ? EXIT_PARTIAL : EXIT_ANALYSED;
	scan_fini(&s);
	return e;
}

// --- the call ---

static void print_summary(void *arg, const struct summary *s)
{
	const struct options *o = s->opts;

	(void)arg;
	if (o->json && !o->quiet)
		summary_json(s, stdout);
	else if (!o->quiet)
		summary_text(s, stdout);
	if (s->outcome->partial)
		say("%s: %s; see the tables problems and coverage in %s for what is missing",
		    o->image, outcome_words(s->analysis, s->outcome), o->output);
}

struct err *call_scan(const struct options *o, enum exit_status *status)
{
	return scan_image(o, print_summary, NULL, status);
}
