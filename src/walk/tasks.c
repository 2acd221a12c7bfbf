// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks the task list and each group's thread list.
#include "src/walk/tasks.h"

#include "src/walk/system.h"
#include "src/walk/task_name.h"
#include "src/walk/unlisted.h"

#include <inttypes.h>

const struct task *task_at(const struct tasks *ts, uint64_t addr)
{
	const uint64_t *i = u64map_get(&ts->by_addr, addr);

	return i ? &ts->all.at[*i] : NULL;
}

const struct task *tasks_first(const struct tasks *ts)
{
	const struct task *t;

	for (size_t i = 0; ts && (t = task_next_leader(ts, &i));)
		if (t->pid == 1)
			return t;
	return NULL;
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

// False if it is known already.
static bool add_task(struct walk *w, uint64_t addr, uint64_t leader)
{
	struct kernel *k = w->k;
	uint64_t id;

	if (!u64map_add(&w->tasks->by_addr, addr, w->tasks->all.n))
		return false;
	struct task *t = vec_add(&w->tasks->all);
	*t = (struct task){
		.addr = addr,
		.leader = leader,
		.donor = addr,
		.found_by = "tasks",
		.signal = k_or0(k, addr, F(task_struct, signal)),
		.mm = k_or0(k, addr, F(task_struct, mm)),
		.files = k_or0(k, addr, F(task_struct, files)),
		.fs = k_or0(k, addr, F(task_struct, fs)),
		.nsproxy = k_or0(k, addr, F(task_struct, nsproxy)),
		.cred = k_or0(k, addr, F(task_struct, real_cred)),
		.flags = k_or0(k, addr, F(task_struct, flags)),
	};
	t->has_pid = k_get(k, addr, F(task_struct, tgid), &id);
	t->pid = t->has_pid ? (int64_t)id : 0;
	t->has_tid = k_get(k, addr, F(task_struct, pid), &id);
	t->tid = t->has_tid ? (int64_t)id : 0;
	t->comm = task_name(w, addr, t->flags);
	return true;
}

// Threads of a process share its signal_struct. Others are in its list only if links lie, or were
// read at another time.
static bool add_thread(struct walk *w, uint64_t task, const struct task *leader)
{
	uint64_t signal;

	if (task == leader->addr)
		return true;
	if (k_get(w->k, task, F(task_struct, signal), &signal) && signal != leader->signal)
		return false;
	return add_task(w, task, leader->addr);
}

// How many tasks may still come: each has at least a page of its own.
static uint64_t tasks_left(const struct walk *w)
{
	uint64_t most = w->ram_pages < MAX_TASKS ? w->ram_pages : MAX_TASKS;

	return most - (w->tasks->all.n < most ? w->tasks->all.n : most);
}

static void add_threads(struct walk *w, struct task leader)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, k_field_va(w->k, leader.signal, F(signal_struct, thread_head)),
		   tasks_left(w));
	while (list_next(&it, &node)) {
		uint64_t task = k_container(w->k, node, F(task_struct, thread_node));
		if (!add_thread(w, task, &leader)) {
			walk_problem(w, ERROR, TABLE_threads, leader.addr, task,
				     "the list of threads of process %" PRId64
				     " leads to a task that is not one of them",
				     leader.pid);
			return;
		}
	}
	walk_check_list(w, TABLE_threads, leader.addr, &it, "the list of threads of a process");
}

static void add_group(struct walk *w, uint64_t leader)
{
	struct tasks *ts = w->tasks;
	size_t first = ts->all.n;
	uint64_t signal = 0;

	if (k_get(w->k, leader, F(task_struct, signal), &signal) && !k_plausible(w->k, signal)) {
		walk_problem(w, ERROR, TABLE_processes, 0, leader,
			     "an entry of the list of tasks is no task");
		return;
	}
	if (!add_task(w, leader, leader)) {
		walk_problem(w, ERROR, TABLE_processes, 0, leader,
			     "an entry of the list of tasks is a thread of another process");
		return;
	}
	add_threads(w, ts->all.at[first]);
	ts->all.at[first].n_threads = ts->all.n - first;
}

void tasks_add_unlisted(struct walk *w, uint64_t task, uint64_t leader, const char *found_by,
			const char *evidence)
{
	struct tasks *ts = w->tasks;
	size_t first = ts->all.n;

	if (task == leader)
		add_group(w, leader);
	else if (add_task(w, task, leader))
		ts->all.at[first].n_threads = 1;
	for (size_t i = first; i < ts->all.n; i++) {
		ts->all.at[i].found_by = found_by;
		ts->all.at[i].off_list = evidence;
	}
}

static bool has_exited(struct walk *w, const struct task *t)
{
	return k_or0(w->k, t->addr, F(task_struct, exit_state)) != 0;
}

// A leader that died, or lost its memory, before its threads.
static bool needs_donor(struct walk *w, const struct task *leader)
{
	bool exiting = leader->flags & PF_EXITING;

	return has_exited(w, leader) || (exiting && !leader->mm && !task_is_kthread(leader));
}

// The thread to read a process from: one that still has its memory, if there is one.
static const struct task *find_donor(struct walk *w, const struct task *group)
{
	const struct task *any = NULL;

	for (size_t i = 1; i < group->n_threads; i++) {
		if (has_exited(w, &group[i]))
			continue;
		if (group[i].mm)
			return &group[i];
		any = any ? any : &group[i];
	}
	return any;
}

static void borrow(struct task *leader, const struct task *donor)
{
	leader->donor = donor->addr;
	leader->mm = donor->mm;
	leader->files = donor->files;
	leader->fs = donor->fs;
	leader->nsproxy = donor->nsproxy;
}

// Classifies the tasks of a group, its leader first.
static void classify_group(struct walk *w, struct task *group)
{
	size_t live = 0;

	for (size_t i = 0; i < group->n_threads; i++)
		live += !has_exited(w, &group[i]);
	for (size_t i = 0; i < group->n_threads; i++) {
		group[i].life = lifecycle_of(w, group[i].addr, i == 0, live);
		if (group[i].life.class == LIFE_UNKNOWN)
			walk_problem(w, ERROR, i == 0 ? TABLE_processes : TABLE_threads,
				     group[i].addr, group[i].addr,
				     "parts of a task_struct can't be read");
	}
	const struct task *donor = needs_donor(w, group) ? find_donor(w, group) : NULL;
	if (donor)
		borrow(group, donor);
}

void tasks_free(struct tasks *ts)
{
	if (!ts)
		return;
	vec_fini(&ts->all);
	vec_fini(&ts->unlisted);
	vec_fini(&ts->empty_pids);
	u64map_fini(&ts->empty_pid_at);
	vec_fini(&ts->candidates);
	u64map_fini(&ts->candidate_at);
	u64map_fini(&ts->tids);
	u64map_fini(&ts->by_addr);
	mem_free(ts);
}

static void collect(struct walk *w)
{
	struct list_iter it;
	uint64_t node;

	w->tasks = mem_zalloc(1, sizeof(*w->tasks));
	system_clock(w); // how old a task is depends on it
	list_begin(&it, w->k, k_field_va(w->k, w->k->init_task, F(task_struct, tasks)),
		   tasks_left(w));
	while (list_next(&it, &node)) {
		add_group(w, k_container(w->k, node, F(task_struct, tasks)));
		if (w->progress && it.n % 256 == 0)
			w->progress(w->progress_arg, "tasks", it.n, 0);
	}
	walk_check_list(w, TABLE_processes, 0, &it, "the list of tasks");
	unlisted_find(w);
	for (size_t i = 0; i < w->tasks->all.n; i += w->tasks->all.at[i].n_threads)
		classify_group(w, &w->tasks->all.at[i]);
}

const struct extractor walk_tasks = {
	.name = "tasks", // bootstrap() has seen to it that its fields are there
	.run = collect,
};
