// SPDX-License-Identifier: LGPL-2.1-or-later
// The arguments of a module, put together again: parse_args() of kernel/params.c wrote a NUL over
// each '=' and each space while it took them apart, and how long the text was is not kept.
#include "src/walk/module.h"

#include <string.h>

enum { MAX_WORDS = 128, MAX_WORD = 1024, MAX_PARAMS = 4096, NO_ARGUMENT_NEEDED = 1 };

struct parameter {
	bool known;
	bool may_be_bare; // a bool: its name alone means true (KERNEL_PARAM_OPS_FL_NOARG)
};

// parameq(): a dash is as good as an underscore.
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

static struct parameter find_parameter(struct walk *w, uint64_t module, const char *word)
{
	struct kernel *k = w->k;
	uint64_t n = k_or0(k, module, F(module, num_kp)), size = k_sizeof(k, "kernel_param");
	uint64_t at = k_or0(k, module, F(module, kp));

	for (uint64_t i = 0; at && size && i < n && i < MAX_PARAMS; i++, at += size) {
		uint64_t name = k_or0(k, at, F(kernel_param, name));
		const char *s = name ? k_string(k, &w->row, name, MAX_WORD) : NULL;
		if (!s || !same_name(s, word))
			continue;
		uint64_t ops = k_or0(k, at, F(kernel_param, ops));
		uint64_t flags = k_or0(k, ops, F(kernel_param_ops, flags));
		return (struct parameter){true, flags & NO_ARGUMENT_NEEDED};
	}
	return (struct parameter){0};
}

// What kstrtobool() takes.
static bool looks_like_bool(const char *s)
{
	static const char *const words[] = {"y",  "n",	 "Y", "N", "1", "0",
					    "on", "off", "t", "f", "T", "F"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

// The word at *at, which then moves behind its NUL; NULL if it can't be read.
static const char *next_word(struct walk *w, uint64_t *at)
{
	const char *s = k_string(w->k, &w->row, *at, MAX_WORD);

	*at += s ? strlen(s) + 1 : 0;
	return s;
}

struct opt_text module_arguments(struct walk *w, uint64_t module)
{
	uint64_t at = k_or0(w->k, module, F(module, args));
	const char *text = at ? next_word(w, &at) : NULL;

	if (!text || !*text || !k_has(w->k, F(module, kp)))
		return some_text(text);
	const char *word = text;
	struct parameter p = find_parameter(w, module, word);
	for (int i = 0; i < MAX_WORDS && p.known; i++) {
		uint64_t before_value = at;
		const char *value = next_word(w, &at);
		if (value && (!p.may_be_bare || looks_like_bool(value)))
			text = arena_printf(&w->row, "%s=%s", text, value);
		else
			at = before_value;
		word = next_word(w, &at);
		p = word && *word ? find_parameter(w, module, word) : (struct parameter){0};
		if (p.known)
			text = arena_printf(&w->row, "%s %s", text, word);
	}
	return some_text(text);
}
