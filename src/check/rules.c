// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts rules that hold and rules that are broken; what hits a task becomes a row of its own.
#include "src/check/atomicity.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	// One task at a time is put into a list or taken out of it: two links and a count or so.
	MAX_EXCUSED = 4,
	MAX_BROKEN_LINKS = 4, // of one ring: after that it is another
	MAX_FINDINGS = 1000,
};

void rule_holds(struct atomicity *a, enum invariant rule)
{
	a->of[rule].evaluated++;
}

void rule_unevaluable(struct atomicity *a, enum invariant rule)
{
	a->of[rule].unevaluable++;
}

static void report_finding(struct atomicity *a, const struct violation *v, const char *evidence)
{
	struct row_inconsistencies row = {
		.task_addr = some_addr(v->task->addr),
		.pid = task_pid(v->task),
		.tid = task_tid(v->task),
		.scope = some_text("extrinsic"),
		.class = some_text(v->class),
		.evidence = some_text(evidence),
	};

	if (a->findings++ < MAX_FINDINGS)
		WALK_EMIT(a->w, inconsistencies, &row);
}

static void keep_worst(struct atomicity *a, const struct violation *v, const char *text)
{
	struct invariant_count *c = &a->of[v->rule];

	if (c->worst && v->weight <= c->worst_weight)
		return;
	c->worst_weight = v->weight;
	c->worst =
		v->task ? arena_printf(&a->w->run, "task 0x%016" PRIx64 ": %s", v->task->addr, text)
			: arena_printf(&a->w->run, "%s", text);
}

bool rule_broken(struct atomicity *a, const struct violation *v, const char *fmt, ...)
{
	struct invariant_count *c = &a->of[v->rule];
	char text[256];
	va_list ap;

	if (v->lock == LOCK_UNKNOWN) {
		c->unevaluable++;
		return false;
	}
	c->evaluated++;
	if (v->lock == LOCK_HELD && c->excused < MAX_EXCUSED) {
		c->excused++;
		return false;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->violated++;
	keep_worst(a, v, text);
	if (v->task && v->class)
		report_finding(a, v, text);
	return true;
}

static void compare(struct atomicity *a, struct violation v, bool holds, const char *name_a,
		    uint64_t value_a, const char *name_b, uint64_t value_b)
{
	v.weight = value_a > value_b ? value_a - value_b : value_b - value_a;
	if (holds)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "%s=%" PRIu64 " %s=%" PRIu64, name_a, value_a, name_b, value_b);
}

void rule_equal(struct atomicity *a, const struct violation *v, const char *name_a,
		uint64_t value_a, const char *name_b, uint64_t value_b)
{
	compare(a, *v, value_a == value_b, name_a, value_a, name_b, value_b);
}

void rule_at_least(struct atomicity *a, const struct violation *v, const char *name_a,
		   uint64_t value_a, const char *name_b, uint64_t value_b)
{
	compare(a, *v, value_a >= value_b, name_a, value_a, name_b, value_b);
}

// --- rings ---

// How far apart two addresses are in physical memory.
static bool distance(struct atomicity *a, uint64_t va1, uint64_t va2, uint64_t *d)
{
	uint64_t pa1, pa2;

	if (aspace_translate(&a->w->k->as, va1, &pa1) != AS_OK ||
	    aspace_translate(&a->w->k->as, va2, &pa2) != AS_OK)
		return false;
	*d = pa1 > pa2 ? pa1 - pa2 : pa2 - pa1;
	return true;
}

static void count_distance(struct atomicity *a, enum invariant rule, uint64_t d, bool broken)
{
	struct invariant_count *c = &a->of[rule];

	if (d <= a->near) {
		c->near++;
		c->near_violated += broken;
	} else {
		c->far++;
		c->far_violated += broken;
	}
}

// Whether next points back to node. next, prev: include/linux/types.h
static bool check_link(struct atomicity *a, struct violation v, uint64_t node, uint64_t next,
		       uint64_t prev)
{
	uint64_t d = 0;
	bool known = distance(a, node, next, &d), broken = false;

	v.weight = d;
	if (prev == node)
		rule_holds(a, v.rule);
	else
		broken = rule_broken(a, &v,
				     "node=0x%016" PRIx64 " next=0x%016" PRIx64
				     " next.prev=0x%016" PRIx64,
				     node, next, prev);
	if (known)
		count_distance(a, v.rule, d, broken);
	return prev == node;
}

// One step of a ring; false at its end, or where it can't go on.
struct ring {
	uint64_t head, node, next, n, broken;
	uint64_t mark, mark_n; // Brent's tortoise: a ring may be torn so that it misses its head
};

static bool ring_step(struct atomicity *a, const struct violation *v, struct ring *r)
{
	struct kernel *k = a->w->k;
	uint8_t link[16];

	if (!k_plausible(k, r->next) || !k_read(k, r->next, link, 2 * (size_t)k->word) ||
	    r->next == r->mark) {
		rule_broken(a, v, "node=0x%016" PRIx64 " next=0x%016" PRIx64 " %s", r->node,
			    r->next, r->next == r->mark ? "circle" : "next.prev=unreadable");
		return false;
	}
	r->broken += !check_link(a, *v, r->node, r->next, k_ptr_in(k, link + k->word));
	if (r->next == r->head || r->broken > MAX_BROKEN_LINKS)
		return false;
	if (++r->n == r->mark_n) {
		r->mark = r->next;
		r->mark_n *= 2;
	}
	r->node = r->next;
	r->next = k_ptr_in(k, link);
	return true;
}

uint64_t rule_ring(struct atomicity *a, const struct violation *v, uint64_t head)
{
	struct ring r = {.head = head, .node = head, .mark_n = 1};

	if (!k_ptr(a->w->k, head, &r.next)) {
		rule_unevaluable(a, v->rule);
		return 0;
	}
	while (a->budget && ring_step(a, v, &r))
		a->budget--;
	if (a->budget == 0)
		rule_unevaluable(a, v->rule);
	return r.n;
}
