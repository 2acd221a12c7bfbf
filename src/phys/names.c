// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits a list of names.
#include "src/phys/names.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef VEC(char) name_text;

static void end_name(name_text *name, name_vec *out)
{
	vec_push(name, '\0');
	if (*name->at)
		vec_push(out, mem_strdup(name->at));
	name->n = 0;
}

static void read_all(FILE *f, char separator, name_vec *out)
{
	name_text name = {0};
	int c;

	while ((c = getc(f)) != EOF)
		if (c == (unsigned char)separator)
			end_name(&name, out);
		else
			vec_push(&name, (char)c);
	end_name(&name, out);
	vec_fini(&name);
}

struct err *names_read(const char *path, char separator, name_vec *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

	if (!f)
		return err_errno(ERR_IO, "%s: can't be opened", path);
	read_all(f, separator, out);
	bool failed = ferror(f);
	if (f != stdin)
		(void)fclose(f);
	return failed ? err_errno(ERR_IO, "%s: can't be read", path) : NULL;
}
