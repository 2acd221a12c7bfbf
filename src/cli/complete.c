// SPDX-License-Identifier: LGPL-2.1-or-later
// Commands at the start of a line; elsewhere tables, views and columns, after TABLE. its columns.
#include "src/cli/complete.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MOST_NAMES = 1000 };

// Names that begin with ?1, in any case.
#define BEGIN_WITH " WHERE lower(substr(name, 1, length(?1))) = lower(?1) ORDER BY name"

static const char all_names[] =
	"SELECT name FROM (SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
	" UNION SELECT c.name FROM sqlite_schema t, pragma_table_info(t.name) c"
	" WHERE t.type IN ('table', 'view'))" BEGIN_WITH;

static const char columns_of_table[] = "SELECT name FROM (SELECT t.name || '.' || c.name AS name"
				       " FROM sqlite_schema t, pragma_table_info(t.name) c"
				       " WHERE t.type IN ('table', 'view'))" BEGIN_WITH;

static bool add(void *arg, const char *name)
{
	struct completion *c = arg;

	vec_push(&c->names, arena_strndup(&c->arena, name, strlen(name)));
	return c->names.n < MOST_NAMES;
}

static size_t word_length(const char *line, size_t n)
{
	size_t i = n;

	while (i > 0 && (isalnum((unsigned char)line[i - 1]) || strchr("_.", line[i - 1])))
		i--;
	return n - i;
}

static void add_words(struct completion *c, const char *const *words, const char *typed)
{
	for (; *words; words++)
		if (strncmp(*words, typed, strlen(typed)) == 0)
			(void)add(c, *words);
}

static size_t common_of(const struct completion *c)
{
	size_t common = c->names.n ? strlen(c->names.at[0]) : 0;

	for (size_t i = 1; i < c->names.n; i++) {
		size_t same = 0;
		while (same < common && tolower((unsigned char)c->names.at[i][same]) ==
						tolower((unsigned char)c->names.at[0][same]))
			same++;
		common = same;
	}
	return common;
}

void complete(struct completion *c, struct session *s, const char *const *words, const char *line,
	      size_t n)
{
	*c = (struct completion){.typed = word_length(line, n)};
	const char *word = arena_strndup(&c->arena, line + n - c->typed, c->typed);

	if (*word == '.' && c->typed == n)
		add_words(c, words, word);
	else // an error leaves it without names
		(void)session_each(s, strchr(word, '.') ? columns_of_table : all_names, word, add,
				   c);
	c->common = common_of(c);
}

void completion_fini(struct completion *c)
{
	vec_fini(&c->names);
	arena_fini(&c->arena);
}
