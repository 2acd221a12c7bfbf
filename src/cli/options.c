// SPDX-License-Identifier: LGPL-2.1-or-later
// One table of options: getopt_long()'s arrays and the checks come out of it; help.c has --help.
#include "src/cli/options.h"

#include "schema/ddl.h"
#include "src/base/json_quote.h"
#include "src/base/scope.h"
#include "src/base/size.h"
#include "src/cli/terminal.h"
#include "src/sql/printer.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define SEE_HELP "see vmiscan --help"

// --- the effects ---

static struct err *set_output(struct options *o, const char *arg)
{
	if (!*arg)
		return err_new(ERR_USAGE, "--output: the name is empty; give a file");
	mem_free(o->output);
	o->output = mem_strdup(arg);
	return NULL;
}

static struct err *set_tables(struct options *o, const char *arg)
{
	o->tables = arg;
	return NULL;
}

static struct err *set_skip(struct options *o, const char *arg)
{
	o->skip = arg;
	return NULL;
}

static struct err *set_format(struct options *o, const char *arg)
{
	o->format = arg;
	if (strcmp(arg, "help") == 0)
		o->instead = INSTEAD_FORMATS;
	return NULL;
}

static struct err *set_vmss(struct options *o, const char *arg)
{
	o->vmss = arg;
	return NULL;
}

static struct err *set_snapshot(struct options *o, const char *arg)
{
	o->snapshot = arg;
	return NULL;
}

static struct err *set_vmlinux(struct options *o, const char *arg)
{
	o->symbols.vmlinux = arg;
	return NULL;
}

static struct err *set_system_map(struct options *o, const char *arg)
{
	o->symbols.system_map = arg;
	return NULL;
}

static struct err *set_symbols(struct options *o, const char *arg)
{
	o->symbols.folder = arg;
	return NULL;
}

static struct err *set_part(struct options *o, const char *arg)
{
	vec_push(&o->parts, arg);
	return NULL;
}

static struct err *set_hash(struct options *o, const char *arg)
{
	if (strcmp(arg, "sha256") != 0)
		return err_new(ERR_USAGE, "--hash: %s is not known; the hash is sha256", arg);
	o->sha256 = true;
	return NULL;
}

static struct err *set_max_memory(struct options *o, const char *arg)
{
	if (size_parse(arg, &o->max_memory))
		return NULL;
	return err_new(ERR_USAGE, "--max-memory: %s is not a size; give one such as 64M or 2G",
		       arg);
}

static struct err *set_jobs(struct options *o, const char *arg)
{
	enum { JOBS_MOST = 1024 };
	char *end;
	unsigned long n = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || n == 0 || n > JOBS_MOST)
		return err_new(ERR_USAGE, "--jobs: %s is no number from 1 to %d", arg, JOBS_MOST);
	o->jobs = n;
	return NULL;
}

static struct err *set_color(struct options *o, const char *arg)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(arg, words[i]) == 0) {
			o->color = (enum color_when)i;
			return NULL;
		}
	return err_new(ERR_USAGE, "--color: %s is not known; give auto, always or never", arg);
}

static struct err *set_mode(struct options *o, const char *arg)
{
	const char *modes = "";
	_cleanup_(arena_fini) struct arena a = {0};

	o->mode = output_mode_find(arg);
	for (const struct output_mode *m = output_modes; m->name; m++)
		modes = arena_printf(&a, "%s%s%s", modes, *modes ? ", " : "", m->name);
	return o->mode ? NULL
		       : err_new(ERR_USAGE, "--mode: %s is not known; give one of %s", arg, modes);
}

static struct err *set_version(struct options *o, const char *arg)
{
	(void)arg;
	o->instead = INSTEAD_VERSION;
	return NULL;
}

static struct err *set_help(struct options *o, const char *arg)
{
	(void)arg;
	o->instead = INSTEAD_HELP;
	return NULL;
}

// --- the table ---

struct option_def {
	const char *id; // the name with _ for -
	const char *arg;
	struct err *(*set)(struct options *o, const char *arg); // NULL: a flag
	size_t flag;						// its place in struct options
	int letter, calls;
};

static const struct option_def defs[] = {
#define OPTION(name, letter, arg, calls, help) {#name, arg, set_##name, 0, letter, calls},
#define FLAG(name, letter, calls, help)                                                            \
	{#name, NULL, NULL, offsetof(struct options, name), letter, calls},
#define SAID(name, calls, arg, help)
#include "src/cli/options.def"
#undef OPTION
#undef FLAG
#undef SAID
};

enum { N_OPTIONS = sizeof(defs) / sizeof(defs[0]), LONG_ONLY = 256 };

const char *option_dashed(const char *id, char name[static OPTION_NAME])
{
	(void)snprintf(name, OPTION_NAME, "%s", id);
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	return name;
}

// What getopt_long() wants; each option's value is its place in the table + LONG_ONLY.
struct getopt_tables {
	char names[N_OPTIONS][OPTION_NAME];
	struct option longs[N_OPTIONS + 1];
	char shorts[2 * N_OPTIONS + 2];
};

static void fill_getopt(struct getopt_tables *g)
{
	char *s = g->shorts;

	*g = (struct getopt_tables){0};
	*s++ = ':'; // a missing argument is told from an unknown option
	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_def *d = &defs[i];
		g->longs[i] = (struct option){option_dashed(d->id, g->names[i]), d->arg != NULL,
					      NULL, LONG_ONLY + i};
		if (d->letter) {
			*s++ = (char)d->letter;
			if (d->arg)
				*s++ = ':';
		}
	}
}

static const struct option_def *def_of(int c)
{
	if (c >= LONG_ONLY)
		return &defs[c - LONG_ONLY];
	for (int i = 0; i < N_OPTIONS; i++)
		if (defs[i].letter == c)
			return &defs[i];
	return NULL;
}

// --- parsing ---

const struct call_def calls[N_CALLS] = {
#define CALL(id, name, word, least, most, args, doc, examples, statuses)                           \
	[CALL_##id] = {name, word, args, doc, examples, statuses, least, most},
#include "src/cli/calls.def"
#undef CALL
};

static struct err *refuse(int c, char **argv)
{
	char letter[3] = {'-', (char)optopt, '\0'};
	const char *what = optopt && optopt < LONG_ONLY ? letter : argv[optind - 1];

	if (c == ':')
		return err_new(ERR_USAGE, "%s: its argument is missing; " SEE_HELP, what);
	return err_new(ERR_USAGE, "%s: there is no such option; " SEE_HELP, what);
}

static struct err *take(struct options *o, const struct option_def *d, const char *arg)
{
	if (d->set)
		return d->set(o, arg);
	*(bool *)((char *)o + d->flag) = true;
	return NULL;
}

static struct err *parse_options(struct options *o, int argc, char **argv, uint64_t *seen)
{
	struct getopt_tables g;
	int c;

	fill_getopt(&g);
	opterr = 0;
	optind = 0; // start anew, also for a second parse in one process (glibc)
	while ((c = getopt_long(argc, argv, g.shorts, g.longs, NULL)) != -1) {
		const struct option_def *d = c == '?' || c == ':' ? NULL : def_of(c);
		if (!d)
			return refuse(c, argv);
		*seen |= 1ULL << (d - defs);
		TRY(take(o, d, optarg));
	}
	return NULL;
}

static enum call call_of(const char *word)
{
	for (int c = 0; c < N_CALLS; c++)
		if (calls[c].name && strcmp(calls[c].name, word) == 0)
			return (enum call)c;
	return CALL_scan;
}

static void parse_words(struct options *o, char **words, int n)
{
	o->call = n > 0 ? call_of(words[0]) : CALL_scan;
	int named = o->call != CALL_scan;
	o->words = words + named;
	o->n_words = n - named;
	if (o->n_words > 0)
		o->image = o->words[0];
}

static struct err *check_words(const struct options *o)
{
	const struct call_def *c = &calls[o->call];

	if (o->n_words > c->most)
		return err_new(ERR_USAGE, "%s: one word too many; " SEE_HELP, o->words[c->most]);
	if (o->n_words == 0 && c->least > 0)
		return err_new(ERR_USAGE, "no %s given; " SEE_HELP, c->word);
	if (o->n_words < c->least)
		return err_new(ERR_USAGE, "%s: one %s more is needed; " SEE_HELP,
			       o->words[o->n_words - 1], c->word);
	return NULL;
}

static struct err *check_calls(const struct options *o, uint64_t seen)
{
	const char *call = calls[o->call].name;
	char name[OPTION_NAME];

	for (int i = 0; i < N_OPTIONS; i++)
		if ((seen & 1ULL << i) && !(defs[i].calls & 1 << o->call))
			return err_new(ERR_USAGE, "--%s: is not for `vmiscan %s`; " SEE_HELP,
				       option_dashed(defs[i].id, name), call ? call : "IMAGE");
	return NULL;
}

// A table's name, or a view's, which stands for the table that it is made of.
static enum table_id table_or_view(const char *name)
{
	for (size_t i = 0; i < schema_n_views; i++)
		if (strcmp(schema_views[i].name, name) == 0)
			return schema_views[i].source;
	return schema_find(name);
}

static struct err *mark(bool wanted[TABLE_COUNT], const char *option, const char *list, bool value)
{
	_cleanup_free_ char *copy = mem_strdup(list);
	char *rest = copy;

	for (const char *name; (name = strsep(&rest, ","));) {
		enum table_id id = table_or_view(name);
		if (id == TABLE_COUNT)
			return err_new(ERR_USAGE, "--%s: there is no table %s; see vmiscan schema",
				       option, *name ? name : "without a name");
		wanted[id] = value;
	}
	return NULL;
}

// What tells of the run itself is in every database, unless it is skipped by name.
static struct err *choose_tables(struct options *o)
{
	static const enum table_id of_the_run[] = {TABLE_evidence, TABLE_run, TABLE_coverage,
						   TABLE_problems};

	for (unsigned id = 0; id < TABLE_COUNT; id++)
		o->wanted[id] = !o->tables;
	for (size_t i = 0; i < sizeof(of_the_run) / sizeof(of_the_run[0]); i++)
		o->wanted[of_the_run[i]] = true;
	if (o->tables)
		TRY(mark(o->wanted, "tables", o->tables, true));
	return o->skip ? mark(o->wanted, "skip", o->skip, false) : NULL;
}

static void default_output(struct options *o)
{
	const char *slash = strrchr(o->image, '/');

	if (!o->output && o->call == CALL_scan)
		o->output = mem_printf("%s.db", slash ? slash + 1 : o->image);
}

struct err *options_parse(struct options *o, int argc, char **argv)
{
	uint64_t seen = 0;

	_Static_assert(N_OPTIONS <= 64, "a bit of `seen` an option");
	*o = (struct options){.argc = argc, .argv = argv};
	TRY(parse_options(o, argc, argv, &seen));
	parse_words(o, argv + optind, argc - optind);
	if (o->instead) // --help and its like: whatever else there is
		return NULL;
	TRY(check_words(o));
	TRY(check_calls(o, seen));
	TRY(choose_tables(o));
	o->symbols.force = o->force_symbols;
	if (o->image)
		default_output(o);
	return NULL;
}

void options_fini(struct options *o)
{
	mem_free(o->output);
	o->output = NULL;
	vec_fini(&o->parts);
}

// --- for the analysis ---

const char *options_as_json(const struct options *o, struct arena *arena)
{
	const char *all = "[";

	for (int i = 1; i < o->argc; i++)
		all = arena_printf(arena, "%s%s%s", all, i > 1 ? ", " : "",
				   json_quote(arena, o->argv[i], strlen(o->argv[i])));
	return arena_printf(arena, "%s]", all);
}

static void say_line(void *arg, const char *line)
{
	progress_clear(arg);
	say("%s", line);
}

struct analysis_options options_of_analysis(const struct options *o, struct progress *p)
{
	return (struct analysis_options){
		.image = o->image,
		.format = o->format,
		.vmss = o->vmss,
		.snapshot = o->snapshot,
		.parts = o->parts.at,
		.n_parts = o->parts.n,
		.symbols = o->symbols,
		.max_memory = o->max_memory,
		.reproducible = o->reproducible,
		.progress = progress_step,
		.progress_arg = p,
		.say = o->verbose ? say_line : NULL,
		.say_arg = p,
	};
}
