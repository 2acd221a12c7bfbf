// SPDX-License-Identifier: LGPL-2.1-or-later
// What goes to people: colours, escaped text, sizes, messages.
#ifndef VMI_CLI_TERMINAL_H
#define VMI_CLI_TERMINAL_H

#include "src/cli/options.h"

#include <stdint.h>
#include <stdio.h>

// Escape sequences, or empty strings.
struct paint {
	const char *label, *good, *bad, *off;
};

struct paint paint_for(enum color_when when, FILE *out);

// The text with nothing in it that acts on a terminal.
void print_escaped(FILE *out, const char *s);

// 268435456 is "256 MiB".
enum { SIZE_TEXT = 24 };
const char *size_text(char buf[static SIZE_TEXT], uint64_t bytes);

// One line on stderr: "vmiscan: ...", escaped.
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
