// SPDX-License-Identifier: LGPL-2.1-or-later
// Command lines, good and bad.
#include "src/cli/options.h"

#include <criterion/criterion.h>

#include <string.h>

enum { MAX_WORDS = 16 };

// Parses words separated by spaces, after the program's name.
static struct err *parse(struct options *o, const char *line)
{
	static char copy[256];
	static char name[] = "vmiscan";
	static char *argv[MAX_WORDS + 1];
	char *rest = copy;
	int argc = 0;

	cr_assert_lt(strlen(line), sizeof(copy));
	snprintf(copy, sizeof(copy), "%s", line);
	memset(argv, 0, sizeof(argv));
	argv[argc++] = name;
	for (char *word; argc < MAX_WORDS && (word = strsep(&rest, " "));)
		if (*word)
			argv[argc++] = word;
	return options_parse(o, argc, argv);
}

static void good(struct options *o, const char *line)
{
	struct err *e = parse(o, line);

	cr_assert_null(e, "`%s`: %s", line, e ? e->msg : "");
}

static void bad(const char *line, const char *part)
{
	struct options o;
	struct err *e = parse(&o, line);

	cr_assert_not_null(e, "`%s` was taken", line);
	cr_expect_eq(e->code, ERR_USAGE, "`%s`: code %d", line, (int)e->code);
	cr_expect_not_null(strstr(e->msg, part), "`%s`: %s", line, e->msg);
	options_fini(&o);
}

Test(options, an_image_is_scanned)
{
	struct options o;

	good(&o, "/evidence/guest.vmem");
	cr_expect_eq(o.call, CALL_scan);
	cr_expect_str_eq(o.image, "/evidence/guest.vmem");
	cr_expect_str_eq(o.output, "guest.vmem.db", "in the current directory");
	for (int t = 0; t < TABLE_COUNT; t++)
		cr_expect(o.wanted[t]);
	cr_expect_not(o.force || o.json || o.quiet || o.reproducible || o.sha256);
	options_fini(&o);
}

Test(options, the_image_may_come_anywhere)
{
	struct options o;

	good(&o, "-o out.db guest.raw --force -q");
	cr_expect_str_eq(o.image, "guest.raw");
	cr_expect_str_eq(o.output, "out.db");
	cr_expect(o.force && o.quiet);
	options_fini(&o);
	good(&o, "guest.raw --output=a --output b --json --hash sha256 --reproducible "
		 "--no-progress -v");
	cr_expect_str_eq(o.output, "b", "the last one counts");
	cr_expect(o.json && o.sha256 && o.reproducible && o.no_progress && o.verbose);
	options_fini(&o);
}

Test(options, call_names_come_first)
{
	struct options o;

	good(&o, "info guest.raw --json");
	cr_expect_eq(o.call, CALL_info);
	cr_expect_str_eq(o.image, "guest.raw");
	cr_expect_null(o.output);
	good(&o, "schema");
	cr_expect_eq(o.call, CALL_schema);
	good(&o, "./info");
	cr_expect_eq(o.call, CALL_scan);
	cr_expect_str_eq(o.output, "info.db");
	options_fini(&o);
	good(&o, "--help");
	cr_expect_eq(o.instead, INSTEAD_HELP);
	good(&o, "guest.raw --version");
	cr_expect_eq(o.instead, INSTEAD_VERSION);
	good(&o, "--format help");
	cr_expect_eq(o.instead, INSTEAD_FORMATS);
}

Test(options, tables_are_chosen)
{
	struct options o;

	good(&o, "x --tables processes,sockets");
	cr_expect(o.wanted[TABLE_processes] && o.wanted[TABLE_sockets]);
	cr_expect(o.wanted[TABLE_coverage] && o.wanted[TABLE_problems] && o.wanted[TABLE_run]);
	cr_expect_not(o.wanted[TABLE_threads] || o.wanted[TABLE_mounts]);
	options_fini(&o);
	good(&o, "x --skip process_page_map,problems");
	cr_expect_not(o.wanted[TABLE_process_page_map] || o.wanted[TABLE_problems]);
	cr_expect(o.wanted[TABLE_processes]);
	options_fini(&o);
	good(&o, "x --tables listening_ports");
	cr_expect(o.wanted[TABLE_process_open_sockets], "a view stands for its table");
	options_fini(&o);
}

Test(options, sizes_have_units)
{
	struct options o;

	good(&o, "info x --max-memory 4096");
	cr_expect_eq(o.max_memory, 4096);
	good(&o, "info x --max-memory 64M");
	cr_expect_eq(o.max_memory, (size_t)64 << 20);
	good(&o, "info x --max-memory 2GiB");
	cr_expect_eq(o.max_memory, (size_t)2 << 30);
	good(&o, "info x --max-memory 1k");
	cr_expect_eq(o.max_memory, 1024);
	bad("x --max-memory 0", "not a size");
	bad("x --max-memory -1", "not a size");
	bad("x --max-memory 12Q", "not a size");
	bad("x --max-memory 2GB", "not a size");
	bad("x --max-memory 99999999999999999999", "not a size");
	bad("x --max-memory 99999999999999T", "not a size");
	bad("x --max-memory M", "not a size");
}

Test(options, colors)
{
	struct options o;

	good(&o, "info x");
	cr_expect_eq(o.color, COLOR_AUTO);
	good(&o, "info x --color=never");
	cr_expect_eq(o.color, COLOR_NEVER);
	good(&o, "info x --color always");
	cr_expect_eq(o.color, COLOR_ALWAYS);
	bad("x --color blue", "blue is not known");
}

Test(options, mistakes_are_named)
{
	bad("", "no image given");
	bad("info", "no image given");
	bad("a b", "b: one word too many");
	bad("schema x", "x: one word too many");
	bad("--nonsense x", "--nonsense: there is no such option");
	bad("-Z x", "-Z: there is no such option");
	bad("x -o", "-o: its argument is missing");
	bad("x --tables", "--tables: its argument is missing");
	bad("x --hash md5", "md5 is not known");
	bad("x --output=", "name is empty");
	bad("x --tables nonsense", "there is no table nonsense");
	bad("x --skip processes,,threads", "without a name");
	bad("info x -o y", "--output: is not for `vmiscan info`");
	bad("schema --json", "--json: is not for `vmiscan schema`");
	bad("x --no-such-option v", "there is no such option");
}

Test(options, help_of_all_calls_has_every_option_in_80_columns)
{
	static const char *const names[] = {
#define OPTION(name, letter, arg, calls, help) #name,
#define FLAG(name, letter, calls, help)	       #name,
#define SAID(name, calls, arg, help)
#include "src/cli/options.def"
#undef OPTION
#undef FLAG
#undef SAID
	};
	static char text[1 << 16];
	FILE *f = fmemopen(text, sizeof(text), "w");

	for (int c = 0; c < N_CALLS; c++)
		options_help((enum call)c, f);
	fclose(f);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char dashed[40];
		snprintf(dashed, sizeof(dashed), "--%s", names[i]);
		for (char *p = dashed; *p; p++)
			if (*p == '_')
				*p = '-';
		cr_expect_not_null(strstr(text, dashed), "%s is missing", dashed);
	}
	char *rest = text;
	for (const char *line; (line = strsep(&rest, "\n"));)
		cr_expect_leq(strlen(line), 92, "too wide: %s", line);
}
