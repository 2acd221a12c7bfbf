// SPDX-License-Identifier: LGPL-2.1-or-later
// Options into needs.
#include "src/cli/confine.h"

#include "src/base/scope.h"
#include "src/cli/prompt.h"
#include "src/cli/terminal.h"
#include "src/db/output.h"

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

static void need_output(struct sandbox_needs *n, const char *output)
{
	_cleanup_free_ char *folder = output ? output_folder(output) : NULL;

	sandbox_write(n, folder);
}

void confine_to_image(const struct options *o, const char *output)
{
	const struct analysis_options analysis = options_of_analysis(o, NULL);
	struct sandbox_needs n = {0};

	analysis_needs(&analysis, &n);
	need_output(&n, output);
	enter(o, &n, true);
}

void confine_to_open_files(const struct options *o, const char *output)
{
	struct sandbox_needs n = {0};

	need_output(&n, output);
	enter(o, &n, false);
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
