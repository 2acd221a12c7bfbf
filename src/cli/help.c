// SPDX-License-Identifier: LGPL-2.1-or-later
// --help, out of the tables of calls and options.
#include "src/cli/options.h"

struct option_doc {
	const char *id, *arg, *help;
	int letter, calls;
};

static const struct option_doc docs[] = {
#define OPTION(name, letter, arg, calls, help) {#name, arg, help, letter, calls},
#define FLAG(name, letter, calls, help)	       {#name, NULL, help, letter, calls},
#include "src/cli/options.def"
#undef OPTION
#undef FLAG
};

static const char exit_statuses[] =
	"\n"
	"Exit status: 0 analysed; 1 analysed, but the image is damaged or a limit was hit;\n"
	"2 usage; 3 not a readable image; 4 no kernel, or no types or symbols for it;\n"
	"5 the output can't be written; 70 internal error.\n";

static void print_usage(enum call call, const char *before, FILE *out)
{
	const struct call_def *c = &calls[call];

	(void)fprintf(out, "%s vmiscan%s%s%s%s\n", before, c->name ? " " : "",
		      c->name ? c->name : "", *c->args ? " " : "", c->args);
}

static void print_option(const struct option_doc *d, FILE *out)
{
	char name[OPTION_NAME], left[64], letter[8] = "   ";

	if (d->letter)
		(void)snprintf(letter, sizeof(letter), "-%c,", d->letter);
	(void)snprintf(left, sizeof(left), "%s --%s%s%s", letter, option_dashed(d->id, name),
		       d->arg ? " " : "", d->arg ? d->arg : "");
	(void)fprintf(out, "  %-24s %s\n", left, d->help);
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
	for (size_t i = 0; i < sizeof(docs) / sizeof(docs[0]); i++)
		if (docs[i].calls & 1 << call)
			print_option(&docs[i], out);
	(void)fprintf(out, "\nExamples:\n%s%s", calls[call].examples, exit_statuses);
}
