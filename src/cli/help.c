// SPDX-License-Identifier: LGPL-2.1-or-later
// --help, out of the tables of calls and options.
#include "src/cli/options.h"

struct option_doc {
	const char *id, *arg, *help;
	int letter, calls;
	bool otherwise; // what these calls say of the option of that name above
};

static const struct option_doc docs[] = {
#define OPTION(name, letter, arg, calls, help) {#name, arg, help, letter, calls, false},
#define FLAG(name, letter, calls, help)	       {#name, NULL, help, letter, calls, false},
#define SAID(name, calls, arg, help)	       {#name, arg, help, 0, calls, true},
#include "src/cli/options.def"
#undef OPTION
#undef FLAG
#undef SAID
};

enum { N_DOCS = sizeof(docs) / sizeof(docs[0]) };

static void print_usage(enum call call, const char *before, FILE *out)
{
	const struct call_def *c = &calls[call];

	(void)fprintf(out, "%s vmiscan%s%s%s%s\n", before, c->name ? " " : "",
		      c->name ? c->name : "", *c->args ? " " : "", c->args);
}

// What the call says of an option: what stands below it, if that is for this call, or its own
// words.
static const struct option_doc *words_of(size_t i, enum call call)
{
	for (size_t other = i + 1; other < N_DOCS && docs[other].otherwise; other++)
		if (docs[other].calls & 1 << call)
			return &docs[other];
	return &docs[i];
}

static void print_option(size_t i, enum call call, FILE *out)
{
	const struct option_doc *d = &docs[i], *said = words_of(i, call);
	char name[OPTION_NAME], left[64], letter[8] = "   ";

	if (d->letter)
		(void)snprintf(letter, sizeof(letter), "-%c,", d->letter);
	(void)snprintf(left, sizeof(left), "%s --%s%s%s", letter, option_dashed(d->id, name),
		       d->arg ? " " : "", d->arg ? said->arg : "");
	(void)fprintf(out, "  %-24s %s\n", left, said->help);
}

// Of all calls the first lines; the options are those of a scan.
static void print_all(FILE *out)
{
	print_usage(CALL_scan, "Usage:", out);
	for (int c = CALL_scan + 1; c < N_CALLS; c++)
		print_usage((enum call)c, "      ", out);
	(void)fprintf(out, "\n%s\n`vmiscan CALL --help` has the options of another call.\n",
		      calls[CALL_scan].doc);
}

void options_help(enum call call, FILE *out)
{
	if (call == CALL_scan)
		print_all(out);
	else
		print_usage(call, "Usage:", out);
	if (call != CALL_scan)
		(void)fprintf(out, "\n%s\n", calls[call].doc);
	(void)fputc('\n', out);
	for (size_t i = 0; i < N_DOCS; i++)
		if (!docs[i].otherwise && docs[i].calls & 1 << call)
			print_option(i, call, out);
	(void)fprintf(out, "\nExamples:\n%s\nExit status: %s", calls[call].examples,
		      calls[call].statuses);
}
