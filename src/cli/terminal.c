// SPDX-License-Identifier: LGPL-2.1-or-later
// Output for people's eyes.
#include "src/cli/terminal.h"

#include "src/base/scope.h"
#include "src/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool is_set(const char *variable)
{
	const char *v = getenv(variable);

	return v && *v;
}

static bool wants_color(enum color_when when, FILE *out)
{
	const char *term = getenv("TERM");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return isatty(fileno(out)) && !is_set("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

struct paint paint_for(enum color_when when, FILE *out)
{
	if (!wants_color(when, out))
		return (struct paint){"", "", "", ""};
	return (struct paint){"\033[1m", "\033[32m", "\033[31m", "\033[0m"};
}

void print_escaped(FILE *out, const char *s)
{
	_cleanup_(arena_fini) struct arena a = {0};

	(void)fputs(text_for_terminal(&a, s, strlen(s)), out);
}

void say(const char *fmt, ...)
{
	_cleanup_(arena_fini) struct arena a = {0};
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "vmiscan: %s\n", text_for_terminal(&a, text, strlen(text)));
}
