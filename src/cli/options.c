// SPDX-License-Identifier: LGPL-2.1-or-later
// One table of options: getopt_long()'s arrays, the checks and --help come out of it.
#include "src/cli/options.h"

#include "schema/ddl.h"
#include "src/base/scope.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { IN_SCAN = 1 << CALL_SCAN, IN_INFO = 1 << CALL_INFO, IN_SCHEMA = 1 << CALL_SCHEMA };
enum { IN_ALL = IN_SCAN | IN_INFO | IN_SCHEMA };

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
		o->call = CALL_FORMATS;
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

// The power of two behind a number: K, M, G, T, with or without iB; -1 if it is none.
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *at = isalpha((unsigned char)*unit) ? strchr(letters, toupper(*unit)) : NULL;

	if (!*unit)
		return 0;
	if (!at || (unit[1] && strcmp(unit + 1, "iB") != 0))
		return -1;
	return 10 * (int)(at - letters + 1);
}

static struct err *set_max_memory(struct options *o, const char *arg)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(arg, &end, 10);
	int shift = unit_shift(end);
	if (*arg < '0' || *arg > '9' || errno || shift < 0 || n == 0 || n > SIZE_MAX >> shift)
		return err_new(ERR_USAGE,
			       "--max-memory: %s is not a size; give one such as 64M or 2G", arg);
	o->max_memory = (size_t)n << shift;
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

static struct err *set_version(struct options *o, const char *arg)
{
	(void)arg;
	o->call = CALL_VERSION;
	return NULL;
}

static struct err *set_help(struct options *o, const char *arg)
{
	(void)arg;
	o->call = CALL_HELP;
	return NULL;
}

// --- the table ---

struct option_def {
	const char *id; // the name with _ for -
	const char *arg, *help;
	struct err *(*set)(struct options *o, const char *arg); // NULL: a flag
	size_t flag;						// its place in struct options
	int letter, calls;
};

static const struct option_def defs[] = {
#define OPTION(name, letter, arg, calls, help) {#name, arg, help, set_##name, 0, letter, calls},
#define FLAG(name, letter, calls, help)                                                            \
	{#name, NULL, help, NULL, offsetof(struct options, name), letter, calls},
#include "src/cli/options.def"
#undef OPTION
#undef FLAG
};

enum { N_OPTIONS = sizeof(defs) / sizeof(defs[0]), NAME_MAX_CHARS = 24, LONG_ONLY = 256 };

static const char *dashed(const struct option_def *d, char name[static NAME_MAX_CHARS])
{
	(void)snprintf(name, NAME_MAX_CHARS, "%s", d->id);
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	return name;
}

// What getopt_long() wants; each option's value is its place in the table + LONG_ONLY.
struct getopt_tables {
	char names[N_OPTIONS][NAME_MAX_CHARS];
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
		g->longs[i] = (struct option){dashed(d, g->names[i]), d->arg != NULL, NULL,
					      LONG_ONLY + i};
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

static const char *const call_names[] = {
	[CALL_SCAN] = "IMAGE", [CALL_INFO] = "info", [CALL_SCHEMA] = "schema"};

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

static struct err *parse_options(struct options *o, int argc, char **argv, int *seen)
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
		*seen |= 1 << (d - defs);
		TRY(take(o, d, optarg));
	}
	return NULL;
}

static struct err *parse_words(struct options *o, char **words, int n)
{
	if (n > 0 && strcmp(words[0], call_names[CALL_INFO]) == 0)
		o->call = CALL_INFO;
	else if (n > 0 && strcmp(words[0], call_names[CALL_SCHEMA]) == 0)
		o->call = CALL_SCHEMA;
	int first = o->call != CALL_SCAN, expected = o->call != CALL_SCHEMA;
	if (n - first < expected)
		return err_new(ERR_USAGE, "no image given; " SEE_HELP);
	if (n - first > expected)
		return err_new(ERR_USAGE, "%s: one word too many; " SEE_HELP,
			       words[first + expected]);
	if (expected)
		o->image = words[first];
	return NULL;
}

static struct err *check_calls(const struct options *o, int seen)
{
	char name[NAME_MAX_CHARS];

	for (int i = 0; i < N_OPTIONS; i++)
		if ((seen & 1 << i) && !(defs[i].calls & 1 << o->call))
			return err_new(ERR_USAGE, "--%s: is not for `vmiscan %s`; " SEE_HELP,
				       dashed(&defs[i], name), call_names[o->call]);
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

	if (!o->output && o->call == CALL_SCAN)
		o->output = mem_printf("%s.db", slash ? slash + 1 : o->image);
}

struct err *options_parse(struct options *o, int argc, char **argv)
{
	int seen = 0;

	*o = (struct options){0};
	TRY(parse_options(o, argc, argv, &seen));
	if (o->call != CALL_SCAN) // --help and its like: whatever else there is
		return NULL;
	TRY(parse_words(o, argv + optind, argc - optind));
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

// --- help ---

static const char usage[] =
	"Usage: vmiscan IMAGE [-o OUT.db] [OPTION]...\n"
	"       vmiscan info IMAGE [--json]\n"
	"       vmiscan schema\n"
	"\n"
	"Analyses a snapshot of a Linux guest's memory and writes what is in it, processes, "
	"files,\n"
	"sockets, modules and more, to an SQLite database. No symbols are needed. info only says\n"
	"what the image is, schema documents the database.\n"
	"\n";

static const char examples[] =
	"\n"
	"Examples:\n"
	"  vmiscan guest.vmem                     writes guest.vmem.db and prints a summary\n"
	"  vmiscan guest.elf.zst -o case7.db      any container, also compressed with zstd\n"
	"  vmiscan guest.raw --tables processes,sockets\n"
	"  vmiscan info guest.raw --json          format, memory, CPUs, kernel\n"
	"  sqlite3 guest.vmem.db 'SELECT pid, name, cmdline FROM processes'\n"
	"\n"
	"Exit status: 0 analysed; 1 analysed, but the image is damaged or a limit was hit;\n"
	"2 usage; 3 not a readable image; 4 no kernel, or no types or symbols for it;\n"
	"5 the output can't be written; 70 internal error.\n";

void options_help(FILE *out)
{
	(void)fputs(usage, out);
	for (int i = 0; i < N_OPTIONS; i++) {
		const struct option_def *d = &defs[i];
		char name[NAME_MAX_CHARS], left[64], letter[8] = "   ";
		if (d->letter)
			(void)snprintf(letter, sizeof(letter), "-%c,", d->letter);
		(void)snprintf(left, sizeof(left), "%s --%s%s%s", letter, dashed(d, name),
			       d->arg ? " " : "", d->arg ? d->arg : "");
		(void)fprintf(out, "  %-24s %s\n", left, d->help);
	}
	(void)fputs(examples, out);
}
