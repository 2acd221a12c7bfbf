// SPDX-License-Identifier: LGPL-2.1-or-later
// Tasks: the lists that they are in and what counts them, all of it changed under tasklist_lock by
// copy_process(), __unhash_process() and de_thread().
#include "src/check/atomicity.h"

#include "src/base/bytes.h"
#include "src/kernel/iter.h"

#include <inttypes.h>

enum {
	PIDTYPE_PID = 0,
	TASK_DEAD = 0x80,
	STACK_END_MAGIC = 0x57AC6E9D, // include/uapi/linux/magic.h
	LATE_NS = 1000000000,	      // an idle guest's clock may stand still for so long
};

// --- counts ---

// What the task list leads to: all, or the leaders.
static size_t count_listed(const struct tasks *ts, bool leaders_only)
{
	const struct task *t;
	size_t n = 0;

	vec_foreach (t, &ts->all)
		n += !t->off_list && (!leaders_only || task_is_leader(t));
	return n;
}

static void check_totals(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	const struct tasks *ts = a->w->tasks;
	uint64_t where = k->symbol[S(nr_threads)], counts = k->symbol[S(process_counts)];
	struct violation v = {.rule = INV_nr_threads, .lock = a->tasklist};
	uint32_t threads;
	int64_t processes;

	if (where && k_u32(k, where, &threads))
		rule_equal(a, &v, "nr_threads", threads, "tasks", count_listed(ts, false));
	else
		rule_unevaluable(a, v.rule);
	v.rule = INV_process_counts;
	if (counts && k->n_cpus && k_percpu_sum(k, counts, 0, k->word, &processes))
		rule_equal(a, &v, "process_counts", (uint64_t)processes, "processes",
			   count_listed(ts, true));
	else
		rule_unevaluable(a, v.rule);
}

static void check_group(struct atomicity *a, const struct task *leader)
{
	struct violation v = {.rule = INV_thread_counts,
			      .lock = a->tasklist,
			      .task = leader,
			      .class = "attribute-changed"};
	uint64_t n;

	if (k_get(a->w->k, leader->signal, F(signal_struct, nr_threads), &n))
		rule_equal(a, &v, "signal.nr_threads", n, "thread_head", leader->n_threads);
	else
		rule_unevaluable(a, v.rule);
}

// --- links ---

static void check_rings(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct violation v = {.lock = a->tasklist, .task = t, .class = "task-died"};
	uint64_t threads = k_field_va(k, t->signal, F(signal_struct, thread_head));
	uint64_t children = k_field_va(k, t->addr, F(task_struct, children));

	v.rule = INV_thread_links;
	if (task_is_leader(t) && threads)
		rule_ring(a, &v, threads);
	v.rule = INV_child_links;
	if (children)
		rule_ring(a, &v, children);
}

static void check_pid(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct violation v = {
		.rule = INV_pid_links, .lock = a->tasklist, .task = t, .class = "task-died"};
	uint64_t link = k_field_va(k, t->addr, F(task_struct, pid_links)), pid = 0, first = 0;

	if (!link || !k_has(k, F(pid, tasks)) ||
	    !k_get(k, t->addr, F(task_struct, thread_pid), &pid)) {
		rule_unevaluable(a, v.rule);
		return;
	}
	if (pid &&
	    !k_ptr(k, k_field_va(k, pid, F(pid, tasks)) + (uint64_t)PIDTYPE_PID * k->word, &first))
		rule_unevaluable(a, v.rule);
	else if (pid && first == link)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v,
			    "thread_pid=0x%016" PRIx64 " pid.tasks=0x%016" PRIx64
			    " pid_links=0x%016" PRIx64,
			    pid, first, link);
}

// The number and the table are those of the initial namespace.
static void check_pid_table(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct violation v = {
		.rule = INV_pid_table, .lock = a->tasklist, .task = t, .class = "task-died"};
	uint64_t pid = k_or0(k, t->addr, F(task_struct, thread_pid)), entry = 0, ns;
	uint64_t number = k_field_va(k, pid, F(pid, numbers));

	ns = pid && number ? k_or0(k, number, F(upid, ns)) : 0;
	if (!ns || !t->has_tid || !k_has(k, F(pid_namespace, idr)) ||
	    !xa_load(k, k_field_va(k, ns, F(pid_namespace, idr)), (uint64_t)t->tid, &entry, NULL))
		rule_unevaluable(a, v.rule);
	else if (entry == pid)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "thread_pid=0x%016" PRIx64 " idr=0x%016" PRIx64, pid, entry);
}

static void check_parent(struct atomicity *a, const struct task *t)
{
	struct violation v = {
		.rule = INV_parents, .lock = a->tasklist, .task = t, .class = "task-died"};
	uint64_t parent;

	if (!k_get(a->w->k, t->addr, F(task_struct, real_parent), &parent))
		rule_unevaluable(a, v.rule);
	else if (parent == a->w->k->init_task || task_at(a->w->tasks, parent))
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "real_parent=0x%016" PRIx64 " listed=0", parent);
}

// --- each by itself ---

// Whether the word at the end of the stack is what it must be. Reads that the image lacks tell
// nothing; a stack that is not mapped is none. Without THREAD_INFO_IN_TASK the thread_info lies
// there, and the word elsewhere.
static void check_stack_end(struct atomicity *a, const struct violation *v, uint64_t stack)
{
	uint8_t raw[4] = {0};
	enum as_fault f = aspace_read(&a->w->k->as, stack, raw, sizeof(raw));
	uint32_t word = le32(raw);

	if (!k_has(a->w->k, F(task_struct, thread_info)) || f == AS_PAGE_ABSENT ||
	    f == AS_TABLE_ABSENT)
		rule_unevaluable(a, v->rule);
	else if (f == AS_OK && word == STACK_END_MAGIC)
		rule_holds(a, v->rule);
	else
		rule_broken(a, v, "stack=0x%016" PRIx64 " end=0x%" PRIx32, stack, word);
}

static void check_stack(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_stacks, .task = t, .class = "task-died"};
	uint64_t stack, state;

	if (!k_get(k, t->addr, F(task_struct, stack), &stack) ||
	    !k_get(k, t->addr, F(task_struct, state), &state))
		rule_unevaluable(a, v.rule);
	else if (stack)
		check_stack_end(a, &v, stack);
	else if (state == TASK_DEAD)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "stack=0x0 state=0x%" PRIx64, state);
}

static void check_start(struct atomicity *a, const struct task *t)
{
	struct violation v = {.rule = INV_start_times, .task = t, .class = "attribute-changed"};
	uint64_t start, now = (uint64_t)a->w->now_boottime.v;

	if (!a->w->now_boottime.set ||
	    !k_get(a->w->k, t->addr, F(task_struct, start_boottime), &start))
		rule_unevaluable(a, v.rule);
	else
		rule_at_least(a, &v, "clock_ns+1s", now + LATE_NS, "start_boottime", start);
}

// --- control groups ---

static void check_css_set(struct atomicity *a, uint64_t css_set)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_css_counts, .lock = a->css_set};
	uint64_t n, broken = 0, in_lists = 0;
	static const enum field heads[] = {F(css_set, tasks), F(css_set, mg_tasks)};

	if (!k_get(k, css_set, F(css_set, nr_tasks), &n))
		broken++;
	for (size_t i = 0; i < 2 && !broken; i++) {
		struct list_iter it;
		uint64_t node;
		list_begin(&it, k, k_field_va(k, css_set, heads[i]), a->budget);
		while (list_next(&it, &node))
			in_lists++;
		broken += it.end != ITER_END;
	}
	if (broken)
		rule_unevaluable(a, v.rule);
	else
		rule_equal(a, &v, "css_set.nr_tasks", n, "tasks+mg_tasks", in_lists);
}

static void check_css_sets(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	struct u64map seen = {0};
	const struct task *t;

	if (!k_has(k, F(css_set, tasks)) || !k_has(k, F(css_set, mg_tasks)))
		return;
	vec_foreach (t, &a->w->tasks->all) {
		uint64_t css_set = k_or0(k, t->addr, F(task_struct, cgroups));
		if (k_plausible(k, css_set) && u64map_add(&seen, css_set, 0))
			check_css_set(a, css_set);
	}
	u64map_fini(&seen);
}

void atomicity_of_tasks(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_task_links, .lock = a->tasklist};
	const struct task *t;

	check_totals(a);
	rule_ring(a, &v, k_field_va(k, k->init_task, F(task_struct, tasks)));
	vec_foreach (t, &a->w->tasks->all) {
		if (task_is_leader(t))
			check_group(a, t);
		check_rings(a, t);
		check_pid(a, t);
		check_pid_table(a, t);
		check_parent(a, t);
		check_stack(a, t);
		check_start(a, t);
	}
	check_css_sets(a);
}
