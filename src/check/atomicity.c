// SPDX-License-Identifier: LGPL-2.1-or-later
// Evaluates the rules, and makes a verdict of them.
#include "src/check/atomicity.h"

#include "src/check/check.h"

#include <inttypes.h>
#include <string.h>

enum {
	MIN_EVALUATED = 100, // fewer tell nothing
	MAX_LOCAL = 3,	     // so many broken rules, in one place each, are no pattern
	NEAR = 16 << 20,     // bytes: a dump reads them in one go, or nearly so
	READS_A_PAGE = 4,
	LEAST_READS = 1 << 20,
};

enum weight { SOFT, HARD };

static const struct {
	const char *name;
	enum weight weight;
	const char *lock, *doc;
} rules[INVARIANT_COUNT] = {
#define INVARIANT(name, weight, lock, doc) {#name, weight, lock, doc},
#include "src/check/invariants.def"
#undef INVARIANT
};

static void begin(struct atomicity *a, struct walk *w)
{
	struct kernel *k = w->k;

	*a = (struct atomicity){.w = w};
	a->budget = LEAST_READS + READS_A_PAGE * w->ram_pages;
	a->near = NEAR;
	a->tasklist = k_rwlock_writer(k, k->symbol[S(tasklist_lock)]);
	a->css_set = k_spinlock(k, k->symbol[S(css_set_lock)]);
}

void atomicity_fini(struct atomicity *a)
{
	vec_fini(&a->files);
	u64map_fini(&a->files_seen);
	u64map_fini(&a->mappings);
}

// --- rows ---

static void emit_row(struct atomicity *a, enum invariant i)
{
	const struct invariant_count *c = &a->of[i];
	struct row_atomicity row = {
		.invariant = some_text(rules[i].name),
		.weight = some_text(rules[i].weight == HARD ? "hard" : "soft"),
		.evaluated = some_int((int64_t)c->evaluated),
		.violated = some_int((int64_t)c->violated),
		.excused_by_lock = some_int((int64_t)c->excused),
		.unevaluable = some_int((int64_t)c->unevaluable),
		.worst_example = some_text(c->worst),
		.lock = some_text(rules[i].lock),
		.description = some_text(rules[i].doc),
	};

	if (c->near + c->far) {
		row.near = some_int((int64_t)c->near);
		row.near_violated = some_int((int64_t)c->near_violated);
		row.far = some_int((int64_t)c->far);
		row.far_violated = some_int((int64_t)c->far_violated);
	}
	WALK_EMIT(a->w, atomicity, &row);
}

// --- the verdict ---

struct sums {
	uint64_t evaluated, violated, excused;
	unsigned rules; // that are broken
	uint64_t near, near_violated, far, far_violated;
};

static struct sums add_up(const struct atomicity *a)
{
	struct sums s = {0};

	for (size_t i = 0; i < INVARIANT_COUNT; i++) {
		const struct invariant_count *c = &a->of[i];
		if (rules[i].weight != HARD)
			continue;
		s.evaluated += c->evaluated;
		s.violated += c->violated;
		s.excused += c->excused;
		s.rules += c->violated != 0;
		s.near += c->near;
		s.near_violated += c->near_violated;
		s.far += c->far;
		s.far_violated += c->far_violated;
	}
	return s;
}

static const char *verdict(const struct sums *s)
{
	if (s->violated > MAX_LOCAL || s->rules > 2)
		return "torn";
	if (s->violated)
		return "locally torn";
	return s->evaluated >= MIN_EVALUATED ? "atomic-compatible" : "undecidable";
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static const char *reason(struct atomicity *a, const struct sums *s)
{
	return arena_printf(&a->w->run,
			    "%" PRIu64 " of %" PRIu64 " hard checks violated, %" PRIu64
			    " excused by a lock that was held; links violated: %.3f %% of %" PRIu64
			    " within %" PRIu64 " MiB, %.3f %% of %" PRIu64 " farther",
			    s->violated, s->evaluated, s->excused,
			    percent(s->near_violated, s->near), s->near, a->near >> 20,
			    percent(s->far_violated, s->far), s->far);
}

void atomicity_report(struct atomicity *a)
{
	struct sums s = add_up(a);

	for (unsigned i = 0; i < INVARIANT_COUNT; i++)
		emit_row(a, (enum invariant)i);
	a->w->atomicity = verdict(&s);
	a->w->atomicity_reason = reason(a, &s);
}

void check_atomicity(struct walk *w)
{
	struct atomicity a;

	begin(&a, w);
	atomicity_of_tasks(&a);
	atomicity_of_memory(&a);
	atomicity_of_files(&a);
	atomicity_of_zones(&a);
	atomicity_of_views(&a);
	atomicity_of_scheduling(&a);
	atomicity_of_pages(&a);
	atomicity_of_slabs(&a);
	atomicity_report(&a);
	atomicity_fini(&a);
}
