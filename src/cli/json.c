// SPDX-License-Identifier: LGPL-2.1-or-later
// Members, commas, indentation and escapes.
#include "src/cli/json.h"

#include <inttypes.h>
#include <string.h>

void json_init(struct json *j, FILE *out)
{
	*j = (struct json){.out = out};
}

void json_init_line(struct json *j, FILE *out)
{
	*j = (struct json){.out = out, .one_line = true};
}

void json_fini(struct json *j)
{
	(void)fputc('\n', j->out);
	arena_fini(&j->text);
}

static void begin_member(struct json *j, const char *key)
{
	if (j->one_line)
		(void)fputs(j->comma ? ", " : "", j->out);
	else if (j->depth > 0)
		(void)fprintf(j->out, "%s\n%*s", j->comma ? "," : "", 2 * j->depth, "");
	if (key)
		(void)fprintf(j->out, "\"%s\": ", key);
	j->comma = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin_member(j, key);
	(void)fputc(bracket, j->out);
	j->depth++;
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->comma && !j->one_line)
		(void)fprintf(j->out, "\n%*s", 2 * j->depth, "");
	(void)fputc(bracket, j->out);
	j->comma = true;
}

void json_text(struct json *j, const char *key, const char *s)
{
	begin_member(j, key);
	(void)fputs(s ? json_quote(&j->text, s, strlen(s)) : "null", j->out);
	arena_reset(&j->text);
}

void json_bytes(struct json *j, const char *key, const char *s, size_t n)
{
	begin_member(j, key);
	(void)fputs(json_quote(&j->text, s, n), j->out);
	arena_reset(&j->text);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "%" PRId64, v);
}

void json_double(struct json *j, const char *key, double v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "%.6g", v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	begin_member(j, key);
	(void)fputs(v ? "true" : "false", j->out);
}

void json_hex(struct json *j, const char *key, uint64_t v)
{
	begin_member(j, key);
	(void)fprintf(j->out, "\"0x%016" PRIx64 "\"", v);
}
