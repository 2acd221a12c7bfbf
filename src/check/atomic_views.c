// SPDX-License-Identifier: LGPL-2.1-or-later
// What the task list has and other lists should have, too: children of their parents, tasks of
// their control groups. src/walk/unlisted.c looks for the opposite.
#include "src/check/atomicity.h"

#include "src/walk/unlisted.h"

#include <inttypes.h>

enum { TASK_NEW = 0x800 };

// Bits 1 << enum task_view by task.
static void note_view(void *arg, uint64_t task, enum task_view view)
{
	struct u64map *seen = arg;

	(void)u64map_add(seen, task, 0);
	*u64map_get(seen, task) |= 1U << view;
}

static bool is_seen(const struct u64map *seen, const struct task *t, enum task_view view)
{
	const uint64_t *views = u64map_get(seen, t->addr);

	return views && (*views & 1U << view);
}

// copy_process() puts a process into both lists with the lock held.
static void check_child(struct atomicity *a, const struct task *t, const struct u64map *seen)
{
	struct violation v = {
		.rule = INV_children, .lock = a->tasklist, .task = t, .class = "attribute-changed"};

	if (!k_has(a->w->k, F(task_struct, sibling)) || !k_has(a->w->k, F(task_struct, children)))
		rule_unevaluable(a, v.rule);
	else if (is_seen(seen, t, VIEW_CHILDREN))
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "real_parent=0x%016" PRIx64 " children=without it",
			    k_or0(a->w->k, t->addr, F(task_struct, real_parent)));
}

// From cgroup_post_fork(), before it runs, to cgroup_exit().
static void check_member(struct atomicity *a, const struct task *t, const struct u64map *seen)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_css_members,
			      .lock = a->css_set,
			      .task = t,
			      .class = "attribute-changed"};
	uint64_t state;

	if (!k_has(k, F(task_struct, cg_list)) || !k_has(k, F(css_set, tasks)) ||
	    !k_get(k, t->addr, F(task_struct, state), &state))
		rule_unevaluable(a, v.rule);
	else if (state & TASK_NEW || t->flags & PF_EXITING || is_seen(seen, t, VIEW_CSS_SET))
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "cgroups=0x%016" PRIx64 " tasks=without it",
			    k_or0(k, t->addr, F(task_struct, cgroups)));
}

void atomicity_of_views(struct atomicity *a)
{
	struct u64map seen = {0};
	const struct task *t;

	relatives_each(a->w, note_view, &seen);
	css_sets_each(a->w, note_view, &seen);
	vec_foreach (t, &a->w->tasks->all) {
		if (task_is_leader(t))
			check_child(a, t, &seen);
		check_member(a, t, &seen);
	}
	u64map_fini(&seen);
}
