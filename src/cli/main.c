// SPDX-License-Identifier: LGPL-2.1-or-later
// vmiscan: opens memory snapshots of Linux guests and writes what is in them to SQLite.
#include "src/cli/calls.h"

#include "formats/fmt.h"
#include "src/cli/prompt.h"
#include "src/cli/terminal.h"
#include "src/cli/timeline.h"
#include "src/db/sqlite_sink.h"
#include "src/sandbox/sandbox.h"
#include "src/symfiles/supply.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static void print_libraries(const struct fmt_library *of, const char *label, bool present)
{
	const char *before = label;

	for (const struct fmt_library *l = of; l->name; l++)
		if (l->present == present) {
			(void)printf("%s%s", before, l->name);
			before = ", ";
		}
	if (before != label)
		(void)putchar('\n');
}

static struct err *print_version(void)
{
	char sandbox[SANDBOX_WORDS];

	(void)printf("vmiscan %s\ndatabase schema %d, SQLite %s\n", VMISCAN_VERSION, SCHEMA_VERSION,
		     sqlite_sink_library());
	print_libraries(fmt_libraries, "unpacks with ", true);
	print_libraries(symfile_libraries, "reads files of symbols with ", true);
	print_libraries(prompt_libraries, "edits lines with ", true);
	sandbox_kinds(sandbox);
	(void)printf("sandbox of this system: %s\n", sandbox);
	print_libraries(fmt_libraries, "built without ", false);
	print_libraries(symfile_libraries, "built without ", false);
	print_libraries(prompt_libraries, "built without ", false);
	if (!sandbox_has_libseccomp)
		(void)puts("built without libseccomp");
	return NULL;
}

static struct err *print_formats(const struct options *o)
{
	if (o->call == CALL_timeline) {
		timeline_forms(stdout);
		return NULL;
	}
	for (const struct fmt_ops *const *f = fmt_registry; *f; f++)
		(void)printf("%-12s %s\n", (*f)->name, (*f)->doc);
	return NULL;
}

static struct err *print_help(const struct options *o)
{
	options_help(o->call, stdout);
	return NULL;
}

static struct err *run_call(const struct options *o, enum exit_status *status)
{
	static struct err *(*const run[N_CALLS])(const struct options *, enum exit_status *) = {
#define CALL(id, name, word, least, most, args, doc, examples, statuses) [CALL_##id] = call_##id,
#include "src/cli/calls.def"
#undef CALL
	};

	switch (o->instead) {
	case INSTEAD_HELP:
		return print_help(o);
	case INSTEAD_VERSION:
		return print_version();
	case INSTEAD_FORMATS:
		return print_formats(o);
	case INSTEAD_NOTHING:
		break;
	}
	return run[o->call](o, status);
}

// A reader that went away (`| head`) has what it wanted; anything else is an output not written.
static enum exit_status close_stdout(enum exit_status status)
{
	int why = errno; // of the last call that failed, if one of those that printed did

	if (!ferror(stdout)) {
		if (fflush(stdout) == 0)
			return status;
		why = errno;
	}
	if (why == EPIPE)
		return status;
	say("standard output: can't be written: %s; send it elsewhere", strerror(why));
	return EXIT_OUTPUT;
}

int main(int argc, char **argv)
{
	enum exit_status status = EXIT_ANALYSED;
	struct options o;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); // a file-size limit is an error of write(), not a death
	struct err *e = options_parse(&o, argc, argv);
	if (!e)
		e = run_call(&o, &status);
	if (e) {
		say("%s", e->msg);
		status = exit_status_of(e);
	}
	options_fini(&o);
	return (int)close_stdout(status);
}
