// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line as a struct.
#ifndef VMI_CLI_OPTIONS_H
#define VMI_CLI_OPTIONS_H

#include "schema/schema.h"
#include "src/base/err.h"
#include "src/base/vec.h"
#include "src/symfiles/supply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

// What is to be done: a call's name comes first, any other first word is an image for CALL_SCAN.
enum call { CALL_SCAN, CALL_INFO, CALL_SCHEMA, CALL_HELP, CALL_VERSION, CALL_FORMATS };

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
	enum call call;
	const char *image;  // NULL for calls without one
	char *output;	    // -o, or the image's file name with .db; NULL for calls that write none
	const char *format; // NULL: detect
	const char *vmss;   // NULL: look for it beside the image
	struct symfile_options symbols;
	const char *snapshot;	   // NULL: the newest
	VEC(const char *) parts;   // the other files of a split dump
	const char *tables, *skip; // as given; the result is in `wanted`
	bool wanted[TABLE_COUNT];
	size_t max_memory; // bytes; 0: no limit
	enum color_when color;
	bool force, force_symbols, sha256, reproducible, json, quiet, verbose, no_progress;
};

// Everything wrong is an ERR_USAGE. Strings are borrowed from argv.
struct err *options_parse(struct options *o, int argc, char **argv);
void options_fini(struct options *o);

// The text of --help, made of the same table as the parser.
void options_help(FILE *out);

#endif
