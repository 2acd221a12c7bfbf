// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines to symbols.
#include "symbols/system_map.h"

#include <string.h>

static const char STUB[] = "The real System.map"; // linux-image's, since Debian 11

enum { FEWEST = 1000 }; // a kernel has a hundred thousand

struct line {
	uint64_t va;
	const char *name;
	size_t name_n;
	char type;
	bool of_module;
};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t take_address(const char *s, size_t n, uint64_t *va)
{
	size_t i = 0;

	for (*va = 0; i < n && i < 16 && digit(s[i]) >= 0; i++)
		*va = *va << 4 | (uint64_t)digit(s[i]);
	return i;
}

static bool take_line(const char *s, size_t n, struct line *out)
{
	size_t i = take_address(s, n, &out->va);

	if ((i != 8 && i != 16) || n < i + 4 || s[i] != ' ' || s[i + 2] != ' ')
		return false;
	out->type = s[i + 1];
	out->name = s + i + 3;
	n -= i + 3;
	const char *tab = memchr(out->name, '\t', n);
	out->of_module = tab != NULL;
	out->name_n = tab ? (size_t)(tab - out->name) : n;
	return true;
}

static size_t line_length(const char *s, size_t n)
{
	const char *newline = memchr(s, '\n', n);

	return newline ? (size_t)(newline - s) : n;
}

bool system_map_looks_like(const char *text, size_t n)
{
	struct line l;

	return take_line(text, line_length(text, n), &l);
}

static struct err *check(const struct symtab *t, uint64_t highest)
{
	if (symtab_count(t) && highest == 0)
		return err_new(ERR_FORMAT,
			       "its addresses are all zero, as /proc/kallsyms shows them to who is "
			       "not root (kernel.kptr_restrict)");
	if (symtab_count(t) < FEWEST)
		return err_new(ERR_FORMAT, "it has %zu symbols, too few for a kernel",
			       symtab_count(t));
	return NULL;
}

static struct err *read_lines(const char *text, size_t n, struct symtab *t)
{
	uint64_t highest = 0;
	struct line l;

	for (size_t at = 0, number = 1, len; at < n; at += len + 1, number++) {
		len = line_length(text + at, n - at);
		if (len == 0)
			continue;
		if (!take_line(text + at, len, &l))
			return err_new(ERR_FORMAT, "line %zu is not \"ADDRESS TYPE NAME\"", number);
		if (l.name_n >= sizeof(STUB) - 1 && memcmp(l.name, STUB, sizeof(STUB) - 1) == 0)
			return err_new(
				ERR_FORMAT,
				"it is a stub, which says: %.*s; give that one, or its vmlinux",
				l.name_n < 200 ? (int)l.name_n : 200, l.name);
		highest = l.va > highest ? l.va : highest;
		if (!l.of_module)
			(void)symtab_add(t, l.name, l.name_n, l.va, l.type);
	}
	return check(t, highest);
}

struct err *system_map_read(const char *text, size_t n, struct symtab **out)
{
	struct symtab *t = symtab_new();
	struct err *e = read_lines(text, n, t);

	if (e) {
		symtab_free(t);
		return e;
	}
	symtab_sort(t);
	*out = t;
	return NULL;
}
