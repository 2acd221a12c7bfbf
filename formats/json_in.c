// SPDX-License-Identifier: LGPL-2.1-or-later
// A reader of JSON that never recurses and never allocates.
#include "formats/json_in.h"

static bool fail(struct json_in *j)
{
	j->bad = true;
	return false;
}

// The next character that is no space, which stays; 0 at the end.
static char peek(struct json_in *j)
{
	while (j->p < j->end && (*j->p == ' ' || (*j->p >= '\t' && *j->p <= '\r')))
		j->p++;
	if (j->bad || j->p == j->end)
		return '\0';
	return *j->p;
}

bool json_in_open(struct json_in *j, char bracket)
{
	if (peek(j) != bracket)
		return fail(j);
	j->p++;
	return true;
}

bool json_in_more(struct json_in *j, char close)
{
	char c = peek(j);

	if (c == ',') {
		j->p++;
		c = peek(j);
	}
	if (c == '\0')
		return fail(j);
	if (c == close)
		j->p++;
	return c != close;
}

// Escapes stand for the character after the backslash: no name that is looked for has one.
bool json_in_string(struct json_in *j, char *buf, size_t n)
{
	size_t at = 0;

	if (peek(j) != '"')
		return fail(j);
	for (j->p++; j->p < j->end && *j->p != '"'; j->p++) {
		if (*j->p == '\\' && ++j->p == j->end)
			break;
		if (at + 1 < n)
			buf[at++] = *j->p;
	}
	if (n > 0)
		buf[at] = '\0';
	if (j->p >= j->end)
		return fail(j);
	j->p++;
	return true;
}

bool json_in_name(struct json_in *j, char *buf, size_t n)
{
	if (!json_in_string(j, buf, n) || peek(j) != ':')
		return fail(j);
	j->p++;
	return true;
}

bool json_in_number(struct json_in *j, uint64_t *out)
{
	char c = peek(j);

	if (c < '0' || c > '9')
		return fail(j);
	*out = 0;
	for (; j->p < j->end && *j->p >= '0' && *j->p <= '9'; j->p++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(*j->p - '0'), out))
			return fail(j);
	return true;
}

// Numbers, true, false, null: up to what ends a value.
static void skip_word(struct json_in *j)
{
	while (j->p < j->end && *j->p != ',' && *j->p != '}' && *j->p != ']')
		j->p++;
}

void json_in_skip(struct json_in *j)
{
	size_t depth = 0;

	do {
		char c = peek(j);
		if (c == '\0')
			j->bad = true;
		else if (c == '"')
			(void)json_in_string(j, NULL, 0);
		else if (c == '{' || c == '[')
			depth++, j->p++;
		else if (c == '}' || c == ']')
			j->bad |= depth-- == 0, j->p++;
		else if (c == ',' || c == ':')
			j->bad |= depth == 0, j->p++;
		else
			skip_word(j);
	} while (depth > 0 && !j->bad);
}
