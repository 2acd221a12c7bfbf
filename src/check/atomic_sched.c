// SPDX-License-Identifier: LGPL-2.1-or-later
// The scheduler's view of tasks against their own, and the order of numbers. kernel/sched/core.c
#include "src/check/atomicity.h"

#include "src/walk/unlisted.h"

#include <inttypes.h>

enum { TASK_ON_RQ_QUEUED = 1 };

struct queues {
	struct u64map tasks; // that a queue has
	enum lock_state lock;
	size_t n; // CPUs that are in use
};

// --- what runs ---

// current_task of a CPU; 0 where another way tells (arm64 has it in a register).
static uint64_t current_task(struct kernel *k, size_t cpu)
{
	uint64_t hot = k->symbol[S(pcpu_hot)], current = k->symbol[S(current_task)], task = 0;

	if (hot && k_has(k, F(pcpu_hot, current_task)))
		return k_or0(k, k_percpu(k, hot, cpu), F(pcpu_hot, current_task));
	return current && k_ptr(k, k_percpu(k, current, cpu), &task) ? task : 0;
}

// __schedule() changes the one, __switch_to() the other, and both with the lock.
static void check_current(struct atomicity *a, size_t cpu, uint64_t rq, enum lock_state lock)
{
	struct kernel *k = a->w->k;
	uint64_t curr = k_or0(k, rq, F(rq, curr)), current = current_task(k, cpu), on_cpu;
	struct violation v = {.rule = INV_current_tasks, .lock = lock};

	v.task = task_at(a->w->tasks, curr);
	v.class = "attribute-changed";
	if (!current || !k_get(k, curr, F(task_struct, on_cpu), &on_cpu))
		rule_unevaluable(a, v.rule);
	else if (curr == current && on_cpu)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v,
			    "cpu=%zu rq.curr=0x%016" PRIx64 " current_task=0x%016" PRIx64
			    " on_cpu=%" PRIu64,
			    cpu, curr, current, on_cpu);
}

static struct queues look_at_cpus(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	uint64_t runqueues = k->symbol[S(runqueues)], online;
	struct queues q = {.lock = LOCK_FREE};

	for (size_t cpu = 0; runqueues && cpu < k->n_cpus; cpu++) {
		uint64_t rq = k_percpu(k, runqueues, cpu);
		if (!k_has(k, F(rq, lock)) || (k_get(k, rq, F(rq, online), &online) && !online))
			continue;
		enum lock_state lock = k_spinlock(k, k_field_va(k, rq, F(rq, lock)));
		check_current(a, cpu, rq, lock);
		if (lock != LOCK_FREE && q.lock != LOCK_UNKNOWN)
			q.lock = lock;
		q.n++;
	}
	return q;
}

// --- what waits ---

static void add_queued(void *arg, uint64_t task, enum task_view view)
{
	struct queues *q = arg;

	(void)view;
	(void)u64map_add(&q->tasks, task, 0);
}

// A task that moves from CPU to CPU is TASK_ON_RQ_MIGRATING; a group whose quota is used up waits
// outside all queues.
static void check_queued(struct atomicity *a, const struct task *t, const struct queues *q)
{
	struct violation v = {.rule = INV_run_queues, .lock = q->lock, .task = t};
	uint64_t on_rq;

	if (!k_get(a->w->k, t->addr, F(task_struct, on_rq), &on_rq))
		rule_unevaluable(a, v.rule);
	else if (on_rq != TASK_ON_RQ_QUEUED || u64map_get(&q->tasks, t->addr))
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "on_rq=%" PRIu64 " queued=0", on_rq);
}

// --- numbers ---

// The task that started last: its number was taken before.
static const struct task *newest(struct atomicity *a)
{
	const struct task *t, *found = NULL;
	uint64_t start, latest = 0;

	vec_foreach (t, &a->w->tasks->all)
		if (t->has_tid && k_get(a->w->k, t->addr, F(task_struct, start_boottime), &start) &&
		    start >= latest) {
			latest = start;
			found = t;
		}
	return found;
}

// alloc_pid() moves the cursor beyond the number before the task is made.
static void check_pid_cursor(struct atomicity *a)
{
	struct kernel *k = a->w->k;
	const struct task *t = newest(a);
	struct violation v = {.rule = INV_pid_cursor, .task = t};
	uint64_t pid = k_or0(k, k->init_task, F(task_struct, thread_pid)), next;
	uint64_t numbers = pid ? k_field_va(k, pid, F(pid, numbers)) : 0;
	uint64_t ns = numbers ? k_or0(k, numbers, F(upid, ns)) : 0;

	if (!t || !ns || !k_get(k, ns, F(pid_namespace, idr_next), &next))
		rule_unevaluable(a, v.rule);
	else
		rule_at_least(a, &v, "idr_next", next, "newest+1", (uint64_t)t->tid + 1);
}

void atomicity_of_scheduling(struct atomicity *a)
{
	struct queues q = look_at_cpus(a);
	const struct task *t;

	run_queues_each(a->w, add_queued, &q);
	vec_foreach (t, &a->w->tasks->all) {
		if (q.n)
			check_queued(a, t, &q);
		else
			rule_unevaluable(a, INV_run_queues);
	}
	u64map_fini(&q.tasks);
	check_pid_cursor(a);
}
