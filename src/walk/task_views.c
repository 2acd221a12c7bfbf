// SPDX-License-Identifier: LGPL-2.1-or-later
// Looks for tasks where the task list is not asked, but their pids, their relatives and their
// control groups are.
#include "src/walk/unlisted.h"

#include "src/kernel/iter.h"

enum { PIDTYPE_PID = 0, MAX_PIDTYPES = 8 };

struct search {
	struct walk *w;
	task_visit *visit;
	void *arg;
	uint64_t left;	 // entries of lists that may still be looked at
	uint64_t pid_ns; // the one whose table of pids is walked
};

// --- the pid table ---

// Whether it is in use and says itself that it is this number, not what was freed or is a lie.
static bool is_pid(const struct search *s, uint64_t pid, uint64_t number)
{
	struct kernel *k = s->w->k;
	uint64_t upid = k_field_va(k, pid, F(pid, numbers)), nr, ns, count;

	return k_get(k, upid, F(upid, nr), &nr) && nr == number &&
	       (!k_get(k, upid, F(upid, ns), &ns) || ns == s->pid_ns) &&
	       (!k_has(k, F(pid, count)) || (k_get(k, pid, F(pid, count), &count) && count > 0));
}

// No task, process group or session has it. Either alloc_pid() has made it for a fork that goes on,
// or __change_pid() has unhooked the last task, and free_pid() is about to take it from the table.
static bool is_empty(struct kernel *k, uint64_t pid)
{
	const struct field_place *heads = &k->field[F(pid, tasks)];
	uint64_t first;

	for (size_t i = 0; i < heads->n_elem && i < MAX_PIDTYPES; i++)
		if (!k_ptr(k, pid + heads->off + i * k->word, &first) || first)
			return false;
	return true;
}

// The number of a listed task is no fork's: release_task() empties a pid, and then unlists the
// task.
static void add_empty(struct tasks *ts, uint64_t pid, uint64_t number)
{
	if (!u64map_get(&ts->tids, number) &&
	    u64map_add(&ts->empty_pid_at, number, ts->empty_pids.n))
		vec_push(&ts->empty_pids, ((struct empty_pid){pid, number, false}));
}

static bool visit_pid(void *arg, uint64_t index, uint64_t pid)
{
	struct search *s = arg;
	struct kernel *k = s->w->k;
	uint64_t node;

	if (!k_plausible(k, pid) || !k_ptr(k, k_field_va(k, pid, F(pid, tasks)), &node))
		return true;
	if (node)
		s->visit(s->arg, k_container(k, node, F(task_struct, pid_links)), VIEW_PID);
	else if (is_pid(s, pid, index) && is_empty(k, pid))
		add_empty(s->w->tasks, pid, index);
	return true;
}

// The initial namespace, of which init_task is: that of the first number of its struct pid.
void pids_each(struct walk *w, task_visit *visit, void *arg)
{
	struct kernel *k = w->k;
	uint64_t pid = k_or0(k, k->init_task, F(task_struct, thread_pid));
	uint64_t numbers = pid ? k_field_va(k, pid, F(pid, numbers)) : 0;
	uint64_t ns = numbers ? k_or0(k, numbers, F(upid, ns)) : 0;
	struct search s = {w, visit, arg, MOST_ENTRIES(w), ns};
	uint64_t nodes = w->ram_pages;

	if (ns && k_has(k, F(pid_namespace, idr)) && k_has(k, F(pid, tasks)) &&
	    k_has(k, F(task_struct, pid_links)))
		(void)xa_each(k, k_field_va(k, ns, F(pid_namespace, idr)), &nodes, visit_pid, &s);
}

// --- lists ---

// Every task whose field `link` is in the list at this head.
static void visit_list(struct search *s, uint64_t head, enum field link, enum task_view view)
{
	struct walk *w = s->w;
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, head, s->left);
	while (list_next(&it, &node))
		s->visit(s->arg, k_container(w->k, node, link), view);
	s->left -= it.n < s->left ? it.n : s->left;
}

static void visit_children(struct search *s, uint64_t task)
{
	struct kernel *k = s->w->k;

	if (k_has(k, F(task_struct, children)) && k_has(k, F(task_struct, sibling)))
		visit_list(s, k_field_va(k, task, F(task_struct, children)),
			   F(task_struct, sibling), VIEW_CHILDREN);
}

void relatives_each(struct walk *w, task_visit *visit, void *arg)
{
	struct search s = {w, visit, arg, MOST_ENTRIES(w), 0};

	visit_children(&s, w->k->init_task); // which is in no list: the first process, and kthreadd
	for (size_t i = 0, n = w->tasks->all.n; i < n; i++) {
		uint64_t task = w->tasks->all.at[i].addr;
		uint64_t parent = k_or0(w->k, task, F(task_struct, real_parent));
		if (k_plausible(w->k, parent))
			visit(arg, parent, VIEW_PARENT);
		visit_children(&s, task);
	}
}

static void visit_css_set(struct search *s, uint64_t css_set)
{
	static const enum field heads[] = {F(css_set, tasks), F(css_set, mg_tasks),
					   F(css_set, dying_tasks)};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (k_has(s->w->k, heads[i]))
			visit_list(s, k_field_va(s->w->k, css_set, heads[i]),
				   F(task_struct, cg_list), VIEW_CSS_SET);
}

void css_sets_each(struct walk *w, task_visit *visit, void *arg)
{
	struct search s = {w, visit, arg, MOST_ENTRIES(w), 0};
	struct kernel *k = w->k;
	struct u64map seen = {0};

	for (size_t i = 0, n = k_has(k, F(task_struct, cg_list)) ? w->tasks->all.n : 0; i < n;
	     i++) {
		uint64_t css_set = k_or0(k, w->tasks->all.at[i].addr, F(task_struct, cgroups));
		if (k_plausible(k, css_set) && u64map_add(&seen, css_set, 0))
			visit_css_set(&s, css_set);
	}
	u64map_fini(&seen);
}
