// SPDX-License-Identifier: LGPL-2.1-or-later
// A row for every task that is not simply alive.
#include "src/check/check.h"

#include <inttypes.h>

static void emit(struct walk *w, const struct task *t, const char *scope, const char *class,
		 const char *evidence)
{
	struct row_inconsistencies row = {
		.task_addr = some_addr(t->addr),
		.pid = task_pid(t),
		.tid = task_tid(t),
		.scope = some_text(scope),
		.class = some_text(class),
		.phase = some_text(t->life.phase),
		.evidence = some_text(evidence),
		.missing = some_text(t->life.missing),
	};

	WALK_EMIT(w, inconsistencies, &row);
}

static void emit_of(struct walk *w, const struct task *t)
{
	if (t->life.class != LIFE_LIVE && t->life.class != LIFE_UNKNOWN)
		emit(w, t, "intrinsic", lifecycle_text(t->life.class), t->life.evidence);
	// no listed task lacks these at any one instant: parts of it were read at two
	if (t->life.impossible)
		emit(w, t, "extrinsic", "task-died", t->life.evidence);
	if (t->off_list)
		emit(w, t, "cross-view", "unlisted",
		     arena_printf(&w->row, "found_by=%s %s", t->found_by, t->off_list));
}

// A number of which no task was found. What would tell a fork from a release is the task.
static void emit_empty_pid(struct walk *w, const struct empty_pid *pid)
{
	struct row_inconsistencies row = {
		.tid = some_int((int64_t)pid->number),
		.scope = some_text("intrinsic"),
		.class = some_text(lifecycle_text(LIFE_FRESH)),
		.phase = some_text("N1"),
		.evidence = some_text(
			arena_printf(&w->row, "pid=0x%016" PRIx64 " tasks=none", pid->addr)),
		.missing = some_text("the task: fork or release"),
	};

	if (!pid->has_task)
		WALK_EMIT(w, inconsistencies, &row);
}

void check_lifecycle(struct walk *w)
{
	const struct empty_pid *pid;
	const struct task *t;

	vec_foreach (t, &w->tasks->all)
		emit_of(w, t);
	vec_foreach (t, &w->tasks->unlisted)
		emit_of(w, t);
	vec_foreach (pid, &w->tasks->empty_pids)
		emit_empty_pid(w, pid);
}
