// SPDX-License-Identifier: LGPL-2.1-or-later
// What stands between "it differs" and "it changed": another guest, another boot, missing rows.
#include "src/cli/diff.h"

#include <string.h>

// Clocks are set while a guest runs, and the time of boot moves with them.
#define BOOT_TOLERANCE_NS 5000000000

static bool is(struct opt_text t, const char *s)
{
	return t.p && t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

static const struct row_coverage *coverage_of(const struct diff_side *side, enum table_id id)
{
	const struct row_coverage *c;

	for (size_t i = 0; (c = loaded_row(&side->loaded, TABLE_coverage, i)); i++)
		if (is(c->table_name, schema_tables[id].name))
			return c;
	return NULL;
}

bool diff_is_there(const struct diff_side sides[2], enum table_id id)
{
	for (size_t i = 0; i < 2; i++) {
		const struct row_coverage *c = coverage_of(&sides[i], id);
		if (!c || is(c->status, "skipped") || is(c->status, "unavailable"))
			return false;
	}
	return true;
}

bool diff_is_whole(const struct diff_side sides[2], enum table_id id)
{
	for (size_t i = 0; i < 2; i++) {
		const struct row_coverage *c = coverage_of(&sides[i], id);
		if (!c || !is(c->status, "complete"))
			return false;
	}
	return true;
}

static void warn_of_table(const struct diff_side *side, enum table_id id, struct arena *a,
			  diff_warnings *out)
{
	const struct row_coverage *c = coverage_of(side, id);
	const char *status = c && c->status.p ? c->status.p : "not there";
	const char *reason = c && c->reason.p ? c->reason.p : "no reason given";

	if (c && is(c->status, "complete"))
		return;
	if (c && is(c->status, "partial"))
		vec_push(out,
			 arena_printf(a,
				      "%s: the table %s is partial (%.200s): what it lacks looks "
				      "as if it had gone or appeared",
				      side->word, schema_tables[id].name, reason));
	else
		vec_push(out, arena_printf(a, "%s: the table %s is %.40s (%.200s): not compared",
					   side->word, schema_tables[id].name, status, reason));
}

static void warn_of_starts(const struct diff_side *side, struct arena *a, diff_warnings *out)
{
	if (!diff_has_starts(side))
		vec_push(out,
			 arena_printf(a,
				      "%s: it does not say when its processes started (tables time "
				      "and processes): task_struct and pid tell them apart",
				      side->word));
}

static bool texts_differ(struct opt_text x, struct opt_text y)
{
	return x.p && y.p && (x.n != y.n || memcmp(x.p, y.p, x.n) != 0);
}

static void warn_of_kernel(const struct row_kernel_info *x, const struct row_kernel_info *y,
			   struct arena *a, diff_warnings *out)
{
	if (!x || !y)
		return;
	if (texts_differ(x->build_id, y->build_id) || texts_differ(x->version, y->version))
		vec_push(out, arena_printf(a, "the two are not of one guest: their kernels are "
					      "of different builds"));
	else if (x->kernel_addr.set && y->kernel_addr.set && x->kernel_addr.v != y->kernel_addr.v)
		vec_push(out, arena_printf(a, "the two are not of one boot: the kernel lies at "
					      "another address"));
}

static void warn_of_time(const struct row_time *x, const struct row_time *y, struct arena *a,
			 diff_warnings *out)
{
	if (!x || !y || !x->boot_ns.set || !y->boot_ns.set)
		return;
	uint64_t apart = (uint64_t)y->boot_ns.v - (uint64_t)x->boot_ns.v;
	if (apart + BOOT_TOLERANCE_NS > 2ULL * BOOT_TOLERANCE_NS)
		vec_push(out, arena_printf(a, "the two are not of one boot, or the clock was set: "
					      "their times of boot differ"));
	else if (x->unix_ns.set && y->unix_ns.set && x->unix_ns.v > y->unix_ns.v)
		vec_push(out, arena_printf(a, "the first is the later one: what is said to have "
					      "appeared had gone"));
}

static void warn_of_host(const struct row_system_info *x, const struct row_system_info *y,
			 struct arena *a, diff_warnings *out)
{
	if (x && y && texts_differ(x->hostname, y->hostname))
		vec_push(out, arena_printf(a, "the two have different host names"));
}

void diff_warn(const struct diff_side sides[2], struct arena *a, diff_warnings *out)
{
	const struct loaded *x = &sides[0].loaded, *y = &sides[1].loaded;

	warn_of_kernel(loaded_row(x, TABLE_kernel_info, 0), loaded_row(y, TABLE_kernel_info, 0), a,
		       out);
	warn_of_time(loaded_row(x, TABLE_time, 0), loaded_row(y, TABLE_time, 0), a, out);
	warn_of_host(loaded_row(x, TABLE_system_info, 0), loaded_row(y, TABLE_system_info, 0), a,
		     out);
	for (size_t side = 0; side < 2; side++)
		warn_of_starts(&sides[side], a, out);
	for (size_t i = 0; i < diff_n_subjects; i++)
		for (size_t side = 0; side < 2; side++)
			warn_of_table(&sides[side], diff_subjects[i].table, a, out);
}
