// SPDX-License-Identifier: LGPL-2.1-or-later
// What the scheduler has: the task that runs on each CPU, and those that wait for it. Who hides a
// task from the lists still wants it to run. kernel/sched/sched.h
#include "src/walk/unlisted.h"

#include "src/kernel/iter.h"

enum { MAX_GROUPS = 1 << 12 }; // control groups that have a queue, of all CPUs together

struct queues {
	struct walk *w;
	task_visit *visit;
	void *arg;
	VEC(uint64_t) cfs; // cfs_rqs that are still to be looked at
	struct u64map seen;
	uint64_t left; // entries of lists and trees that may still be looked at
};

static void spend(struct queues *q, uint64_t n)
{
	q->left -= n < q->left ? n : q->left;
}

static void visit_task(struct queues *q, uint64_t task)
{
	if (k_plausible(q->w->k, task))
		q->visit(q->arg, task, VIEW_RUN_QUEUE);
}

// --- the fair class: a tree of entities, some of which are groups with a tree of their own ---

static void push_queue(struct queues *q, uint64_t cfs)
{
	if (k_plausible(q->w->k, cfs) && q->seen.n < MAX_GROUPS && u64map_add(&q->seen, cfs, 0))
		vec_push(&q->cfs, cfs);
}

static void visit_entity(struct queues *q, uint64_t entity)
{
	uint64_t group = k_or0(q->w->k, entity, F(sched_entity, my_q));

	if (group)
		push_queue(q, group);
	else
		visit_task(q, k_container(q->w->k, entity, F(task_struct, se)));
}

// The entity that runs is not in the tree.
static void visit_cfs(struct queues *q, uint64_t cfs)
{
	struct kernel *k = q->w->k;
	uint64_t curr = k_or0(k, cfs, F(cfs_rq, curr)), node;
	struct rb_iter it;

	if (k_plausible(k, curr))
		visit_entity(q, curr);
	rb_begin(&it, k, k_field_va(k, cfs, F(cfs_rq, timeline)), q->left);
	while (rb_next(&it, &node))
		visit_entity(q, k_container(k, node, F(sched_entity, run_node)));
	spend(q, it.n);
}

static void visit_fair(struct queues *q, uint64_t rq)
{
	struct kernel *k = q->w->k;

	if (!k_has(k, F(rq, cfs)) || !k_has(k, F(cfs_rq, timeline)) ||
	    !k_has(k, F(sched_entity, run_node)) || !k_has(k, F(task_struct, se)))
		return;
	push_queue(q, k_field_va(k, rq, F(rq, cfs)));
	while (q->cfs.n)
		visit_cfs(q, q->cfs.at[--q->cfs.n]);
}

// --- real time: a list for each priority; deadline: a tree ---

static void visit_rt(struct queues *q, uint64_t rq)
{
	struct kernel *k = q->w->k;
	const struct field_place *lists = &k->field[F(rq, rt_queue)];
	uint64_t node;

	// groups of tasks in these lists (RT_GROUP_SCHED) are not told from tasks here
	if (!lists->present || !k_has(k, F(task_struct, rt_run_list)) ||
	    k_has(k, F(sched_rt_entity, my_q)))
		return;
	for (size_t i = 0; i < lists->n_elem; i++) {
		struct list_iter it;
		list_begin(&it, k, rq + lists->off + i * lists->elem_size, q->left);
		while (list_next(&it, &node))
			visit_task(q, k_container(k, node, F(task_struct, rt_run_list)));
		spend(q, it.n);
	}
}

static void visit_deadline(struct queues *q, uint64_t rq)
{
	struct kernel *k = q->w->k;
	struct rb_iter it;
	uint64_t node;

	if (!k_has(k, F(rq, dl_root)) || !k_has(k, F(task_struct, dl_node)))
		return;
	rb_begin(&it, k, k_field_va(k, rq, F(rq, dl_root)), q->left);
	while (rb_next(&it, &node)) {
		uint64_t entity = k_container(k, node, F(sched_dl_entity, rb_node));
		if (!k_or0(k, entity, F(sched_dl_entity, dl_server))) // stands for the fair class
			visit_task(q, k_container(k, node, F(task_struct, dl_node)));
	}
	spend(q, it.n);
}

void run_queues_each(struct walk *w, task_visit *visit, void *arg)
{
	struct kernel *k = w->k;
	uint64_t runqueues = k->symbol[S(runqueues)];
	struct queues q = {.w = w, .visit = visit, .arg = arg, .left = MOST_ENTRIES(w)};

	for (size_t cpu = 0; runqueues && cpu < k->n_cpus; cpu++) {
		uint64_t rq = k_percpu(k, runqueues, cpu);
		visit_task(&q, k_or0(k, rq, F(rq, curr)));
		visit_fair(&q, rq);
		visit_rt(&q, rq);
		visit_deadline(&q, rq);
	}
	vec_fini(&q.cfs);
	u64map_fini(&q.seen);
}
