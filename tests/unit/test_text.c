// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile text on its way to a database and to a terminal.
#include "src/base/text.h"

#include <criterion/criterion.h>

#include <string.h>

static struct arena arena;

static const char *database(const char *s, size_t n)
{
	size_t out_n;
	const char *out = text_for_database(&arena, s, n, &out_n);

	return arena_strndup(&arena, out, out_n);
}

static const char *terminal(const char *s)
{
	return text_for_terminal(&arena, s, strlen(s));
}

Test(text, utf8_of_every_length_is_measured)
{
	cr_expect_eq(text_utf8_len("a", 1), 1);
	cr_expect_eq(text_utf8_len("\xc3\xa9", 2), 2);
	cr_expect_eq(text_utf8_len("\xe2\x82\xac", 3), 3);
	cr_expect_eq(text_utf8_len("\xf0\x9f\x90\xa7", 4), 4);
	cr_expect_eq(text_utf8_len("\xf4\x8f\xbf\xbf", 4), 4);
}

Test(text, what_is_not_utf8_has_no_length)
{
	cr_expect_eq(text_utf8_len("", 0), 0);
	cr_expect_eq(text_utf8_len("\x80", 1), 0, "a lone continuation");
	cr_expect_eq(text_utf8_len("\xc3", 1), 0, "cut off");
	cr_expect_eq(text_utf8_len("\xc3(", 2), 0, "no continuation");
	cr_expect_eq(text_utf8_len("\xc0\xaf", 2), 0, "overlong /");
	cr_expect_eq(text_utf8_len("\xe0\x80\xaf", 3), 0, "overlong / in three");
	cr_expect_eq(text_utf8_len("\xed\xa0\x80", 3), 0, "a surrogate");
	cr_expect_eq(text_utf8_len("\xf4\x90\x80\x80", 4), 0, "beyond U+10FFFF");
	cr_expect_eq(text_utf8_len("\xff", 1), 0);
}

Test(text, clean_text_is_not_copied)
{
	const char *s = "caf\xc3\xa9\t\033[1m";
	size_t n;

	cr_expect_eq(text_for_database(&arena, s, strlen(s), &n), s);
	cr_expect_eq(n, strlen(s));
}

Test(text, database_text_is_always_utf8_without_nul)
{
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	const char *out = database(all, sizeof(all));
	size_t n = strlen(out);
	for (size_t i = 0, len; i < n; i += len) {
		len = text_utf8_len(out + i, n - i);
		cr_assert_gt(len, 0, "not UTF-8 at byte %zu", i);
	}
	cr_expect_str_eq(database("a\0b", 3), "a\\x00b");
	cr_expect_str_eq(database("\xff\xc3\xa9\xc3", 4), "\\xff\xc3\xa9\\xc3");
	cr_expect_str_eq(database("", 0), "");
}

Test(text, nothing_acts_on_a_terminal)
{
	cr_expect_str_eq(terminal("plain caf\xc3\xa9"), "plain caf\xc3\xa9");
	cr_expect_str_eq(terminal("\033[31mred\033[0m"), "\\x1b[31mred\\x1b[0m");
	cr_expect_str_eq(terminal("a\nb\rc\bd\x7f"), "a\\x0ab\\x0dc\\x08d\\x7f");
	cr_expect_str_eq(terminal("\xc2\x9b"), "\\x9b", "C1: CSI in one character");
	cr_expect_str_eq(terminal("\xe2\x80\xae"), "\\u{202e}", "right-to-left override");
	cr_expect_str_eq(terminal("\xe2\x80\x8b"), "\\u{200b}", "zero width");
	cr_expect_str_eq(terminal("\xef\xbb\xbf"), "\\u{feff}");
	cr_expect_str_eq(terminal("\xff"), "\\xff");
}

Test(text, the_longest_escape_fits)
{
	static const char tag[] = {'\xf3', '\xa0', '\x80', '\xa1'};
	char tags[4 * 1000];

	for (size_t i = 0; i < sizeof(tags); i += 4)
		memcpy(tags + i, tag, sizeof(tag));
	const char *out = text_for_terminal(&arena, tags, sizeof(tags));
	cr_expect_eq(strlen(out), strlen("\\u{e0021}") * 1000);
}
