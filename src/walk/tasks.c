// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks the task list and each group's thread list.
#include "src/walk/tasks.h"

#include "src/walk/system.h"
#include "src/walk/task_name.h"

#include <string.h>

const struct task *task_at(const struct tasks *ts, uint64_t addr)
{
	const uint64_t *i = u64map_get(&ts->by_addr, addr);

	return i ? &ts->all.at[*i] : NULL;
}

const struct task *task_next_leader(const struct tasks *ts, size_t *i)
{
	while (*i < ts->all.n) {
		const struct task *t = &ts->all.at[(*i)++];
		if (task_is_leader(t))
			return t;
	}
	return NULL;
}

static void add_task(struct walk *w, uint64_t addr, uint64_t leader)
{
	struct kernel *k = w->k;

	if (!u64map_add(&w->tasks->by_addr, addr, w->tasks->all.n))
		return;
	struct task *t = vec_add(&w->tasks->all);
	*t = (struct task){
		.addr = addr,
		.leader = leader,
		.donor = addr,
		.signal = k_or0(k, addr, F(task_struct, signal)),
		.mm = k_or0(k, addr, F(task_struct, mm)),
		.files = k_or0(k, addr, F(task_struct, files)),
		.fs = k_or0(k, addr, F(task_struct, fs)),
		.nsproxy = k_or0(k, addr, F(task_struct, nsproxy)),
		.cred = k_or0(k, addr, F(task_struct, real_cred)),
		.pid = (int64_t)k_or0(k, addr, F(task_struct, tgid)),
		.tid = (int64_t)k_or0(k, addr, F(task_struct, pid)),
		.flags = k_or0(k, addr, F(task_struct, flags)),
	};
	t->comm = task_name(w, addr, t->flags);
}

// The leader comes first in its group's list (copy_process, kernel/fork.c).
static void add_group(struct walk *w, uint64_t leader)
{
	struct list_iter it;
	uint64_t node, signal = k_or0(w->k, leader, F(task_struct, signal));
	size_t first = w->tasks->all.n;

	add_task(w, leader, leader);
	list_begin(&it, w->k, k_field_va(w->k, signal, F(signal_struct, thread_head)), MAX_TASKS);
	while (list_next(&it, &node))
		add_task(w, k_container(w->k, node, F(task_struct, thread_node)), leader);
	walk_check_end(w, TABLE_threads, leader, signal, it.end,
		       "the list of threads of a process");
	if (w->tasks->all.n > first)
		w->tasks->all.at[first].n_threads = w->tasks->all.n - first;
}

static bool has_exited(struct walk *w, const struct task *t)
{
	return k_or0(w->k, t->addr, F(task_struct, exit_state)) != 0;
}

// Classifies the group at all.at[first]; its leader, if dead before the others, borrows from one.
static void classify_group(struct walk *w, struct task *group)
{
	struct task *donor = NULL;
	size_t live = 0;

	for (size_t i = 0; i < group->n_threads; i++)
		if (!has_exited(w, &group[i])) {
			live++;
			donor = donor ? donor : &group[i];
		}
	for (size_t i = 0; i < group->n_threads; i++)
		group[i].life = lifecycle_of(w, group[i].addr, i == 0, live);
	if (donor && donor != group && has_exited(w, group)) {
		group->donor = donor->addr;
		group->mm = donor->mm;
		group->files = donor->files;
		group->fs = donor->fs;
		group->nsproxy = donor->nsproxy;
	}
}

void tasks_free(struct tasks *ts)
{
	if (!ts)
		return;
	vec_fini(&ts->all);
	u64map_fini(&ts->by_addr);
	mem_free(ts);
}

static void collect(struct walk *w)
{
	struct list_iter it;
	uint64_t node = w->k->init_task;

	w->tasks = mem_zalloc(1, sizeof(*w->tasks));
	system_clock(w); // how old a task is depends on it
	list_begin(&it, w->k, k_field_va(w->k, w->k->init_task, F(task_struct, tasks)), MAX_TASKS);
	while (list_next(&it, &node)) {
		add_group(w, k_container(w->k, node, F(task_struct, tasks)));
		if (w->progress && it.n % 256 == 0)
			w->progress(w->progress_arg, "tasks", it.n, 0);
	}
	walk_check_end(w, TABLE_processes, 0, node, it.end, "the list of tasks");
	for (size_t i = 0; i < w->tasks->all.n; i += w->tasks->all.at[i].n_threads)
		classify_group(w, &w->tasks->all.at[i]);
}

const struct extractor walk_tasks = {
	.name = "tasks", // bootstrap() has seen to it that its fields are there
	.run = collect,
};
