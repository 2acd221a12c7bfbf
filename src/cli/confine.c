// SPDX-License-Identifier: LGPL-2.1-or-later
// Options into needs.
#include "src/cli/confine.h"

#include "src/cli/prompt.h"
#include "src/cli/terminal.h"

static void enter(const struct options *o, struct sandbox_needs *n, bool tell)
{
	char words[SANDBOX_WORDS] = "none, because of --no-sandbox";

	if (!o->no_sandbox)
		sandbox_enter(n, words);
	if (tell && o->verbose)
		say("sandbox: %s", words);
	sandbox_needs_fini(n);
}

void confine(const struct options *o, struct sandbox_needs *n)
{
	enter(o, n, true);
}

void confine_to_image(const struct options *o)
{
	const struct analysis_options analysis = options_of_analysis(o, NULL);
	struct sandbox_needs n = {0};

	analysis_needs(&analysis, &n);
	enter(o, &n, true);
}

void confine_to_open_files(const struct options *o)
{
	struct sandbox_needs n = {0};

	enter(o, &n, false);
}

void confine_to_databases(const struct options *o, char *const *paths, int n)
{
	struct sandbox_needs needs = {.opens = true};

	for (int i = 0; i < n; i++)
		sandbox_read(&needs, paths[i]);
	confine(o, &needs);
}

void confine_to_reading(const struct options *o)
{
	const struct analysis_options analysis = options_of_analysis(o, NULL);
	struct sandbox_needs n = {0};

	analysis_needs(&analysis, &n);
	sandbox_read(&n, "/");
	confine(o, &n);
}

void confine_to_query(const struct options *o, bool at_prompt)
{
	const struct analysis_options analysis = options_of_analysis(o, NULL);
	struct sandbox_needs n = {0};

	analysis_needs(&analysis, &n);
	if (at_prompt)
		prompt_needs(&n);
	confine(o, &n);
}

void confine_to_prompt(const struct options *o)
{
	struct sandbox_needs n = {.opens = true};

	prompt_needs(&n);
	enter(o, &n, false);
}
