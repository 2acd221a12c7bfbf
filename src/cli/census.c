// SPDX-License-Identifier: LGPL-2.1-or-later
// Which tasks are of which class. The classes but the last are those of Suneja et al., "Exploring
// VM Introspection: Techniques and Trade-offs" (VEE 2015).
#include "src/cli/census.h"

#include <string.h>

const struct census_class census_classes[CENSUS_CLASSES] = {
	{"intrinsic", NULL},	    {"intrinsic", "zombie"},
	{"intrinsic", "dying"},	    {"intrinsic", "as-good-as-dead"},
	{"intrinsic", "fresh"},	    {"extrinsic", NULL},
	{"extrinsic", "task-died"}, {"extrinsic", "attribute-changed"},
	{"cross-view", NULL},
};

static bool is_text(struct opt_text t, const char *s)
{
	return t.p && t.n == strlen(s) && memcmp(t.p, s, t.n) == 0;
}

// No task that a list of the kernel has: not listed yet, or not any more.
static bool is_outside(struct opt_text phase)
{
	return is_text(phase, "N0") || is_text(phase, "N1") || is_text(phase, "X2") ||
	       is_text(phase, "X3");
}

static void see_finding(struct census *c, const struct row_inconsistencies *r)
{
	if (!r->task_addr.set || is_outside(r->phase))
		return;
	for (size_t i = 0; i < CENSUS_CLASSES; i++)
		if (is_text(r->scope, census_classes[i].scope) &&
		    (!census_classes[i].class || is_text(r->class, census_classes[i].class)))
			(void)u64map_add(&c->of[i], r->task_addr.v, 0);
}

static void emit(struct sink *sink, enum table_id table, const void *row)
{
	struct census *c = (struct census *)sink;

	if (table == TABLE_threads)
		c->tasks += !is_outside(((const struct row_threads *)row)->phase);
	else if (table == TABLE_inconsistencies)
		see_finding(c, row);
}

void census_init(struct census *c)
{
	*c = (struct census){.sink = {.emit = emit}};
}

void census_fini(struct census *c)
{
	for (size_t i = 0; i < CENSUS_CLASSES; i++)
		u64map_fini(&c->of[i]);
}

void census_wanted(bool wanted[static TABLE_COUNT])
{
	memset(wanted, 0, TABLE_COUNT * sizeof(*wanted));
	wanted[TABLE_threads] = wanted[TABLE_inconsistencies] = wanted[TABLE_atomicity] = true;
}
