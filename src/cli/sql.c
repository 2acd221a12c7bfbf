// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan sql IMAGE|DB [QUERY]`: statements on an image, without a database file, or on one.
#include "src/cli/calls.h"

#include "src/base/scope.h"
#include "src/cli/confine.h"
#include "src/cli/shell.h"
#include "src/cli/terminal.h"

#include <stdlib.h>

struct query {
	const struct options *opts;
	struct progress progress;
	struct analysis analysis;
	struct session *session;
	struct printer printer;
	struct arena arena;
	bool is_database;
};

// Results may be printed by then, so that there is nothing to save.
static void out_of_memory(size_t asked)
{
	mem_on_exhausted(NULL);
	say("the memory limit was reached (%zu bytes more were needed): raise --max-memory, or ask "
	    "for less",
	    asked);
	exit(EXIT_PARTIAL);
}

static bool is_prompt(const struct options *o)
{
	return o->n_words == 1 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static void all_open(void *arg)
{
	const struct query *q = arg;

	if (is_prompt(q->opts))
		confine_to_prompt(q->opts);
	else
		confine_to_open_files(q->opts);
}

static void begin(struct query *q, const struct options *o)
{
	*q = (struct query){.opts = o};
	progress_init(&q->progress, !o->quiet && !o->no_progress);
	struct analysis_options options = options_of_analysis(o, &q->progress);
	options.all_open = all_open;
	options.all_open_arg = q;
	analysis_init(&q->analysis, &options);
	bool terminal = isatty(STDOUT_FILENO);
	const struct output_mode *mode =
		o->mode ? o->mode : output_mode_find(terminal ? "table" : "csv");
	printer_init(&q->printer, mode, stdout, terminal);
	mem_on_exhausted(out_of_memory);
	if (o->max_memory) {
		mem_set_limit(o->max_memory);
		session_limit_memory(o->max_memory);
	}
}

static void end(struct query *q)
{
	mem_on_exhausted(NULL);
	progress_clear(&q->progress);
	session_free(q->session);
	printer_fini(&q->printer);
	analysis_fini(&q->analysis);
	arena_fini(&q->arena);
}

// --- image or database ---

static bool is_told_of_images(const struct options *o)
{
	return o->format || o->vmss || o->snapshot || o->parts.n || o->symbols.vmlinux ||
	       o->symbols.system_map || o->symbols.folder || o->force_symbols;
}

static struct err *open_database(struct query *q)
{
	if (is_told_of_images(q->opts))
		return err_new(ERR_USAGE,
			       "%s: is a database; options that tell of an image and its kernel "
			       "are not for it",
			       q->opts->image);
	TRY(session_of_database(q->opts->image, &q->session));
	all_open(q);
	return NULL;
}

static struct err *open_image(struct query *q)
{
	TRY(analysis_open(&q->analysis));
	progress_clear(&q->progress);
	return session_of_image(&q->analysis, options_as_json(q->opts, &q->arena), &q->session);
}

static struct err *open_either(struct query *q)
{
	confine_to_query(q->opts, is_prompt(q->opts));
	if (!q->opts->format)
		TRY(session_is_database(q->opts->image, &q->is_database));
	return q->is_database ? open_database(q) : open_image(q);
}

// --- what to run ---

static struct err *greet(struct query *q)
{
	_cleanup_free_ char *greeting =
		mem_printf("vmiscan " VMISCAN_VERSION ": %s, %s", q->opts->image,
			   q->is_database ? "a database, only read"
					  : "an image, whose tables are extracted when you ask");

	return shell_prompt(q->session, &q->printer, greeting);
}

static struct err *run(struct query *q)
{
	if (q->opts->n_words > 1)
		return session_run(q->session, q->opts->words[1], 1, &q->printer);
	if (is_prompt(q->opts))
		return greet(q);
	return shell_stdin(q->session, &q->printer);
}

static void say_damage(const struct query *q, enum exit_status *status)
{
	const char *why = session_damage(q->session);

	*status = why ? EXIT_PARTIAL : EXIT_ANALYSED;
	if (why)
		say("%s: %s; the tables problems and coverage tell what is missing", q->opts->image,
		    why);
}

// A limit that a statement hit leaves what was printed before.
static struct err *run_all(struct query *q, enum exit_status *status)
{
	struct err *e = run(q);

	progress_clear(&q->progress);
	if (e && e->code != ERR_LIMIT)
		return e;
	say_damage(q, status);
	if (e) {
		say("%s", e->msg);
		*status = EXIT_PARTIAL;
	}
	return NULL;
}

struct err *call_sql(const struct options *o, enum exit_status *status)
{
	struct query q;

	begin(&q, o);
	struct err *e = open_either(&q);
	if (!e)
		e = run_all(&q, status);
	struct err kept = e ? *e : (struct err){0}; // closing may put another one in its place
	end(&q);
	return e ? err_new(kept.code, "%s", kept.msg) : NULL;
}
