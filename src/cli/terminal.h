// SPDX-License-Identifier: LGPL-2.1-or-later
// What goes to people: colours, escaped text, messages.
#ifndef VMI_CLI_TERMINAL_H
#define VMI_CLI_TERMINAL_H

#include "src/base/size.h"
#include "src/cli/options.h"

#include <stdio.h>

// Escape sequences, or empty strings.
struct paint {
	const char *label, *good, *bad, *off;
};

struct paint paint_for(enum color_when when, FILE *out);

// The text with nothing in it that acts on a terminal.
void print_escaped(FILE *out, const char *s);

// One line on stderr: "vmiscan: ...", escaped.
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
