// SPDX-License-Identifier: LGPL-2.1-or-later
// SQLite hands over the source text of each argument: quotes are still around it.
#include "src/extension/arguments.h"

#include "src/base/size.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { FIRST = 3 }; // before: the module, the database, the table's own name

static const char *const names[N_ARGUMENTS] = {
	[ARG_FORMAT] = "format",	 [ARG_VMSS] = "vmss",
	[ARG_SNAPSHOT] = "snapshot",	 [ARG_VMLINUX] = "vmlinux",
	[ARG_SYSTEM_MAP] = "system_map", [ARG_SYMBOLS] = "symbols",
	[ARG_MAX_MEMORY] = "max_memory",
};

// [s, s + n) without space around it, and without quotes, of which two stand for one within.
static char *unquoted(const char *s, size_t n)
{
	for (; n > 0 && isspace((unsigned char)*s); s++)
		n--;
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	char quote = '\0';
	if (n > 1 && strchr("'\"", *s) && s[n - 1] == *s) {
		quote = *s++;
		n -= 2;
	}
	char *out = sqlite3_malloc64(n + 1), *d = out;
	for (size_t i = 0; out && i < n; i++) {
		*d++ = s[i];
		i += quote && s[i] == quote && i + 1 < n && s[i + 1] == quote;
	}
	if (out)
		*d = '\0';
	return out;
}

// The = after a name; NULL if the argument is a word.
static const char *find_equals(const char *s)
{
	const char *p = s + strspn(s, " \t\r\n");

	while (isalpha((unsigned char)*p) || *p == '_')
		p++;
	p += strspn(p, " \t\r\n");
	return *p == '=' ? p : NULL;
}

static int by_name(const char *name)
{
	for (int i = ARG_FIRST_NAMED; i < N_ARGUMENTS; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static char *wrong(const char *what, const char *argument)
{
	return sqlite3_mprintf(
		"vmiscan: %s: %s; it is vmiscan('image', 'table', format=..., vmss=..., "
		"snapshot=..., vmlinux=..., system_map=..., symbols=..., "
		"max_memory=...)",
		argument, what);
}

static char *set(struct arguments *a, int which, const char *argument, const char *value)
{
	if (which < 0 || which >= N_ARGUMENTS)
		return wrong("is no argument", argument);
	if (a->value[which])
		return wrong("comes twice", argument);
	a->value[which] = unquoted(value, strlen(value));
	return a->value[which] ? NULL : sqlite3_mprintf("vmiscan: out of memory");
}

static char *set_named(struct arguments *a, const char *argument, const char *equals)
{
	char *name = unquoted(argument, (size_t)(equals - argument));
	char *why = set(a, name ? by_name(name) : -1, argument, equals + 1);

	sqlite3_free(name);
	return why;
}

static char *check(struct arguments *a)
{
	if (!a->value[ARG_IMAGE] || !*a->value[ARG_IMAGE])
		return wrong("there is no image", "USING vmiscan");
	a->max_memory = SIZE_MAX;
	if (a->value[ARG_MAX_MEMORY] && !size_parse(a->value[ARG_MAX_MEMORY], &a->max_memory))
		return wrong("is no size", a->value[ARG_MAX_MEMORY]);
	return NULL;
}

bool arguments_parse(struct arguments *a, int argc, const char *const *argv, char **why)
{
	int words = 0;

	*a = (struct arguments){0};
	*why = NULL;
	for (int i = FIRST; i < argc && !*why; i++) {
		const char *equals = find_equals(argv[i]);
		if (equals)
			*why = set_named(a, argv[i], equals);
		else
			*why = set(a, words < ARG_FIRST_NAMED ? words++ : -1, argv[i], argv[i]);
	}
	if (!*why)
		*why = check(a);
	return !*why;
}

void arguments_fini(struct arguments *a)
{
	for (int i = 0; i < N_ARGUMENTS; i++)
		sqlite3_free(a->value[i]);
}

char *arguments_key(const struct arguments *a)
{
	sqlite3_str *key = sqlite3_str_new(NULL);

	for (int i = 0; i < N_ARGUMENTS; i++)
		if (i != ARG_TABLE)
			sqlite3_str_appendf(key, "%Q,", a->value[i]);
	return sqlite3_str_finish(key);
}

struct analysis_options arguments_options(const struct arguments *a)
{
	return (struct analysis_options){
		.image = a->value[ARG_IMAGE],
		.format = a->value[ARG_FORMAT],
		.vmss = a->value[ARG_VMSS],
		.snapshot = a->value[ARG_SNAPSHOT],
		.symbols = {.vmlinux = a->value[ARG_VMLINUX],
			    .system_map = a->value[ARG_SYSTEM_MAP],
			    .folder = a->value[ARG_SYMBOLS]},
		.max_memory = a->value[ARG_MAX_MEMORY] ? a->max_memory : 0,
	};
}
