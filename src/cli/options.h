// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line as a struct.
#ifndef VMI_CLI_OPTIONS_H
#define VMI_CLI_OPTIONS_H

#include "schema/schema.h"
#include "src/analyse/analyse.h"
#include "src/base/err.h"
#include "src/base/vec.h"
#include "src/cli/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// What is to be done: a call's name comes first, any other first word is an image for CALL_scan.
enum call {
#define CALL(id, name, word, least, most, args, doc, examples, statuses) CALL_##id,
#include "src/cli/calls.def"
#undef CALL
	N_CALLS
};

enum { MANY = 1 << 20 }; // no limit of words

struct call_def {
	const char *name, *word, *args, *doc, *examples, *statuses;
	int least, most;
};
extern const struct call_def calls[N_CALLS];

// Asked for instead of the call.
enum instead { INSTEAD_NOTHING, INSTEAD_HELP, INSTEAD_VERSION, INSTEAD_FORMATS };

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct output_mode; // src/sql/printer.h

struct options {
	enum call call;
	enum instead instead;
	char **words; // what the call is for
	int n_words;
	int argc; // the whole command line
	char **argv;
	const char *image;  // the first word; NULL for calls without one
	char *output;	    // -o, or for a scan the image's file name with .db; NULL: none given
	const char *format; // NULL: detect
	const char *vmss;   // NULL: look for it beside the image
	struct symfile_options symbols;
	const char *snapshot;	   // NULL: the newest
	VEC(const char *) parts;   // the other files of a split dump
	const char *tables, *skip; // as given; the result is in `wanted`
	bool wanted[TABLE_COUNT];
	size_t max_memory; // bytes; 0: no limit
	size_t jobs;	   // 0: not said
	enum color_when color;
	const struct output_mode *mode; // NULL: not asked for
	bool force, force_symbols, sha256, reproducible, json, quiet, verbose, no_progress, stats,
		null, no_sandbox;
};

// Everything wrong is an ERR_USAGE. Strings are borrowed from argv.
struct err *options_parse(struct options *o, int argc, char **argv);
void options_fini(struct options *o);

// The part of them that an analysis takes, its lines and progress going to the terminal. Both must
// outlive the result.
struct analysis_options options_of_analysis(const struct options *o, struct progress *p);
// The command line without the program's name, for the table run.
const char *options_as_json(const struct options *o, struct arena *arena);

// The text of --help: of a call, or for CALL_scan of all of them.
void options_help(enum call call, FILE *out);

// The option's name as it is typed, without dashes before it: - for _.
enum { OPTION_NAME = 24 };
const char *option_dashed(const char *id, char name[static OPTION_NAME]);

// The bits of options.def: which calls an option is for.
enum {
#define CALL(id, name, word, least, most, args, doc, examples, statuses) IN_##id = 1 << CALL_##id,
#include "src/cli/calls.def"
#undef CALL
	IN_ALL = (1 << N_CALLS) - 1,
	IN_images = IN_scan | IN_batch | IN_info | IN_watch | IN_sql | IN_report | IN_diff |
		    IN_timeline,
};

#endif
