// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan diff BEFORE AFTER`: two snapshots of one guest, as databases or images.
#include "src/cli/diff.h"

#include "src/base/scope.h"
#include "src/cli/calls.h"
#include "src/cli/terminal.h"

#include <string.h>

static void choose_tables(bool wanted[TABLE_COUNT])
{
	memset(wanted, 0, TABLE_COUNT * sizeof(*wanted));
	wanted[TABLE_coverage] = wanted[TABLE_system_info] = true;
	wanted[TABLE_kernel_info] = wanted[TABLE_time] = true;
	for (size_t i = 0; i < diff_n_subjects; i++)
		wanted[diff_subjects[i].table] = true;
}

static void compare(struct diff *d)
{
	for (size_t i = 0; i < diff_n_subjects; i++)
		if (diff_is_there(d->sides, diff_subjects[i].table))
			diff_join(d->sides, &diff_subjects[i], &d->tables[i]);
}

static void print(const struct diff *d, const struct options *o)
{
	const char *const *w;

	vec_foreach (w, &d->warnings)
		say("%s", *w);
	if (o->json)
		diff_json(d, stdout);
	else
		diff_print(d, o, stdout);
}

static struct err *load(struct diff *d, const struct options *o, const bool wanted[TABLE_COUNT])
{
	for (size_t i = 0; i < 2; i++) {
		struct diff_side *side = &d->sides[i];
		side->word = o->words[i];
		TRY(load_rows(o, side->word, wanted, &side->loaded.sink, &side->partial));
	}
	return NULL;
}

// What is missing makes the result partial; what differs does not.
static bool is_partial(const struct diff *d)
{
	bool all = true;

	for (size_t i = 0; i < diff_n_subjects; i++)
		all = all && diff_is_whole(d->sides, diff_subjects[i].table);
	for (size_t i = 0; i < 2; i++)
		all = all && !d->sides[i].partial && diff_has_starts(&d->sides[i]);
	return !all;
}

struct err *call_diff(const struct options *o, enum exit_status *status)
{
	_cleanup_(arena_fini) struct arena arena = {0};
	bool wanted[TABLE_COUNT];
	struct diff d = {0};

	load_confine(o);
	choose_tables(wanted);
	d.tables = mem_zalloc(diff_n_subjects, sizeof(*d.tables));
	for (size_t i = 0; i < 2; i++)
		loaded_init(&d.sides[i].loaded, wanted);
	struct err *e = load(&d, o, wanted);
	if (!e) {
		compare(&d);
		diff_warn(d.sides, &arena, &d.warnings);
		print(&d, o);
		*status = is_partial(&d) ? EXIT_PARTIAL : EXIT_ANALYSED;
	}
	for (size_t i = 0; i < diff_n_subjects; i++)
		vec_fini(&d.tables[i].results);
	for (size_t i = 0; i < 2; i++)
		loaded_fini(&d.sides[i].loaded);
	vec_fini(&d.warnings);
	mem_free(d.tables);
	return e;
}
