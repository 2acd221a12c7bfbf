// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines as the terminal gives them: what a build without libedit has.
#include "src/cli/prompt.h"

#ifndef HAVE_EDIT
#include "src/base/vec.h"

#include <errno.h>
#include <stdio.h>

struct prompt {
	VEC(char) line;
};

const struct fmt_library prompt_libraries[] = {{"libedit", false}, {0}};

void prompt_needs(struct sandbox_needs *n)
{
	n->terminal = true;
}

struct prompt *prompt_new(struct session *s, const char *const *words)
{
	(void)s;
	(void)words;
	return mem_zalloc(1, sizeof(struct prompt));
}

void prompt_free(struct prompt *p)
{
	if (!p)
		return;
	vec_fini(&p->line);
	mem_free(p);
}

enum typed prompt_read(struct prompt *p, const char *before, const char **line)
{
	int c;

	(void)fputs(before, stdout);
	(void)fflush(stdout);
	p->line.n = 0;
	errno = 0;
	while ((c = getchar()) != EOF && c != '\n')
		vec_push(&p->line, (char)c);
	if (c == EOF && errno == EINTR) {
		clearerr(stdin);
		return TYPED_INTERRUPT;
	}
	if (c == EOF && p->line.n == 0)
		return TYPED_END;
	vec_push(&p->line, '\0');
	*line = p->line.at;
	return TYPED_LINE;
}

void prompt_remember(struct prompt *p, const char *statement)
{
	(void)p;
	(void)statement;
}
#endif
