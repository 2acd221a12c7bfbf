// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan timeline`: what is known of when, in the form of a tool that reads timelines.
#include "src/cli/timeline.h"

#include "src/base/scope.h"
#include "src/cli/calls.h"
#include "src/cli/terminal.h"

#include <string.h>
#include <time.h>

static const struct form {
	const char *name, *doc;
	void (*print)(struct timeline *t, FILE *out);
} forms[] = {
	{"timesketch-csv", "CSV for Timesketch", timesketch_csv},
	{"timesketch-jsonl", "JSON Lines for Timesketch", timesketch_jsonl},
	{"body", "body file of the Sleuth Kit, for mactime", body_file},
	{"ecs", "JSON Lines with Elastic's field names", ecs_jsonl},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

// --- times ---

int64_t whole(int64_t ns, int64_t unit)
{
	return ns / unit - (ns % unit < 0);
}

const char *iso_time(char buf[static ISO_TEXT], int64_t ns, int digits, const char *zone)
{
	time_t seconds = whole(ns, 1000000000);
	int64_t rest = ns % 1000000000;
	char date[24], fraction[16];
	struct tm tm = {0};

	(void)gmtime_r(&seconds, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(fraction, sizeof(fraction), "%09u",
		       (unsigned)(rest < 0 ? rest + 1000000000 : rest));
	(void)snprintf(buf, ISO_TEXT, "%s.%.*s%s", date, digits, fraction, zone);
	return buf;
}

// --- the call ---

void timeline_forms(FILE *out)
{
	for (size_t i = 0; i < N_FORMS; i++)
		(void)fprintf(out, "%-16s %s\n", forms[i].name, forms[i].doc);
}

static struct err *find_form(const char *name, const struct form **out)
{
	for (size_t i = 0; i < N_FORMS; i++)
		if (!name || strcmp(forms[i].name, name) == 0) {
			*out = &forms[i];
			return NULL;
		}
	return err_new(ERR_USAGE, "--format: there is no %s; `--format help` lists them", name);
}

static struct err *make(struct timeline *t, const struct options *o, bool *partial)
{
	struct options of_image = *o;
	bool wanted[TABLE_COUNT];

	of_image.format = NULL; // here it is the output's
	timeline_choose_tables(wanted);
	loaded_init(&t->loaded, wanted);
	TRY(load_rows(&of_image, o->image, wanted, &t->loaded.sink, partial));
	timeline_collect(t);
	return NULL;
}

struct err *call_timeline(const struct options *o, enum exit_status *status)
{
	const struct form *form = NULL;
	struct timeline t = {0};
	bool partial = false;

	TRY(find_form(o->format, &form));
	load_confine(o);
	struct err *e = make(&t, o, &partial);
	if (!e)
		form->print(&t, stdout);
	if (!e && t.without_time > 0 && o->verbose)
		say("%zu times are not known", t.without_time);
	*status = partial ? EXIT_PARTIAL : EXIT_ANALYSED;
	loaded_fini(&t.loaded);
	arena_fini(&t.texts);
	vec_fini(&t.moments);
	vec_fini(&t.files);
	return e;
}
