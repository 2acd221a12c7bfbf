// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON and other output of the command line.
#include "src/cli/json.h"
#include "src/cli/terminal.h"

#include <criterion/criterion.h>

#include <string.h>

static const char *quote(const char *s, size_t n)
{
	static struct arena a;

	return json_quote(&a, s, n);
}

Test(json, strings_are_ascii_and_lose_nothing)
{
	cr_expect_str_eq(quote("", 0), "\"\"");
	cr_expect_str_eq(quote("a\"b\\c", 5), "\"a\\\"b\\\\c\"");
	cr_expect_str_eq(quote("\n\033\x7f", 3), "\"\\u000a\\u001b\\u007f\"");
	cr_expect_str_eq(quote("\xc3\xa9\xe2\x80\xae", 5), "\"\\u00e9\\u202e\"");
	cr_expect_str_eq(quote("\xf0\x9f\x90\xa7", 4), "\"\\ud83d\\udc27\"");
	cr_expect_str_eq(quote("\xff", 1), "\"\\\\xff\"", "as in the database");
}

Test(json, commas_and_brackets)
{
	char text[512] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_int(&j, "n", -5);
	json_open(&j, "empty", '[');
	json_close(&j, ']');
	json_open(&j, "list", '[');
	json_text(&j, NULL, "a");
	json_text(&j, NULL, NULL);
	json_close(&j, ']');
	json_bool(&j, "yes", true);
	json_hex(&j, "va", 0xffff888000000000);
	json_close(&j, '}');
	json_fini(&j);
	fclose(f);
	cr_expect_str_eq(
		text,
		"{\n  \"n\": -5,\n  \"empty\": [],\n  \"list\": [\n    \"a\",\n    null\n  ],\n"
		"  \"yes\": true,\n  \"va\": \"0xffff888000000000\"\n}\n");
}

Test(terminal, sizes)
{
	char buf[SIZE_TEXT];

	cr_expect_str_eq(size_text(buf, 0), "0 bytes");
	cr_expect_str_eq(size_text(buf, 1023), "1023 bytes");
	cr_expect_str_eq(size_text(buf, 268435456), "256 MiB");
	cr_expect_str_eq(size_text(buf, 1536), "1.5 KiB");
	cr_expect_str_eq(size_text(buf, UINT64_MAX), "15.9 EiB");
}

Test(terminal, colors_are_asked_for)
{
	cr_expect_str_eq(paint_for(COLOR_NEVER, stdout).bad, "");
	cr_expect_str_neq(paint_for(COLOR_ALWAYS, stdout).bad, "");
	char text[8];
	FILE *f = fmemopen(text, sizeof(text), "w");
	cr_expect_str_eq(paint_for(COLOR_AUTO, f).label, "", "not a terminal");
	fclose(f);
}
