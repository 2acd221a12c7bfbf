// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells apart what is found outside the task list. A fork is no hidden process: its task_struct is
// a copy of its parent's until copy_process() lists it. What release_task() has unlinked stays in
// memory until its last user lets go, and often long after.
#include "src/walk/unlisted.h"

#include "src/kernel/lock.h"
#include "src/walk/process.h"

#include <inttypes.h>
#include <string.h>

enum {
	TASK_COMM_LEN = 16,
	PID_MAX_LIMIT = 4 << 20,
	MIN_NICE_PRIO = 100, // static_prio: include/linux/sched/prio.h
	MAX_NICE_PRIO = 139,
	EXIT_MASK = 0x30, // EXIT_DEAD | EXIT_ZOMBIE
	TASK_DEAD = 0x80,
	TASK_NEW = 0x800,
};
// Of a copy, or of what was freed, nothing but names and numbers is its own.
#define LOST_ALL                                                                                   \
	(LOST_MEMORY | LOST_FILES | LOST_DIRECTORIES | LOST_NAMESPACES | LOST_STACK | LOST_CGROUP)

// The fields that tell.
struct signs {
	uint64_t flags, state, exit_state, usage, pid, tgid, leader, prev, pid_owner;
	bool prev_leads_here; // the entry before it in the task list points to it
};

// --- is it a task? ---

// Any bytes but too many: who hides may take a name that is no text.
static bool has_a_name(struct walk *w, uint64_t task)
{
	char comm[TASK_COMM_LEN];
	size_t n = k_bytes(w->k, task, F(task_struct, comm), comm, sizeof(comm));

	return n == sizeof(comm) && memchr(comm, '\0', n);
}

static bool points_into_kernel(struct walk *w, uint64_t task, enum field f)
{
	uint64_t p;

	return k_get(w->k, task, f, &p) && k_plausible(w->k, p);
}

static bool looks_like_a_task(struct walk *w, uint64_t task)
{
	uint64_t prio;

	return has_a_name(w, task) && k_get(w->k, task, F(task_struct, static_prio), &prio) &&
	       prio >= MIN_NICE_PRIO && prio <= MAX_NICE_PRIO &&
	       points_into_kernel(w, task, F(task_struct, signal)) &&
	       points_into_kernel(w, task, F(task_struct, real_cred)) &&
	       points_into_kernel(w, task, F(task_struct, group_leader)) &&
	       points_into_kernel(w, task, F(task_struct, real_parent));
}

static void read_links(struct walk *w, uint64_t task, struct signs *s)
{
	struct kernel *k = w->k;
	uint64_t link = k_field_va(k, task, F(task_struct, tasks)), next;
	uint64_t pid = k_or0(k, task, F(task_struct, thread_pid)), first;

	if (k_ptr(k, link + k->word, &s->prev) && k_plausible(k, s->prev))
		s->prev_leads_here = k_ptr(k, s->prev, &next) && next == link;
	if (k_plausible(k, pid) && k_ptr(k, k_field_va(k, pid, F(pid, tasks)), &first) && first)
		s->pid_owner = k_container(k, first, F(task_struct, pid_links));
}

static bool read_signs(struct walk *w, uint64_t task, struct signs *s)
{
	struct kernel *k = w->k;

	*s = (struct signs){0};
	if (!k_get(k, task, F(task_struct, flags), &s->flags) ||
	    !k_get(k, task, F(task_struct, state), &s->state) ||
	    !k_get(k, task, F(task_struct, exit_state), &s->exit_state) ||
	    !k_get(k, task, F(task_struct, usage), &s->usage) ||
	    !k_get(k, task, F(task_struct, pid), &s->pid) ||
	    !k_get(k, task, F(task_struct, tgid), &s->tgid) ||
	    !k_get(k, task, F(task_struct, group_leader), &s->leader))
		return false;
	read_links(w, task, s);
	// tid 0: an idle task, which is in no list
	return s->pid && s->pid <= PID_MAX_LIMIT && s->tgid <= PID_MAX_LIMIT &&
	       (s->exit_state & ~(uint64_t)EXIT_MASK) == 0;
}

// --- what is it? ---

static bool tid_is_listed(const struct tasks *ts, uint64_t tid)
{
	return u64map_get(&ts->tids, tid) != NULL;
}

static const char *const view_names[VIEW_COUNT] = {
	[VIEW_PID] = "pid",	    [VIEW_CHILDREN] = "children",   [VIEW_PARENT] = "parent",
	[VIEW_CSS_SET] = "css_set", [VIEW_RUN_QUEUE] = "run_queue", [VIEW_TASK_SCAN] = "task_scan",
};

static const char *found_by(unsigned views)
{
	for (unsigned v = 0; v < VIEW_COUNT; v++)
		if (views & 1U << v)
			return view_names[v];
	return NULL;
}

// What has the task that the list lacks, and whether the list is being changed.
static const char *views_text(struct walk *w, unsigned views)
{
	const char *text = NULL;

	for (unsigned v = 0; v < VIEW_COUNT; v++)
		if (views & 1U << v)
			text = text ? arena_printf(&w->run, "%s,%s", text, view_names[v])
				    : view_names[v];
	return arena_printf(&w->run, "views=%s tasklist_lock=%s", text,
			    lock_state_text(k_rwlock_writer(w->k, w->k->symbol[S(tasklist_lock)])));
}

static const char *evidence(struct walk *w, const struct signs *s)
{
	return arena_printf(&w->run,
			    "flags=0x%" PRIx64 " state=0x%" PRIx64 " exit_state=0x%" PRIx64
			    " usage=%" PRIu64 " tasks.prev=0x%" PRIx64 " tasks.prev.next=%s",
			    s->flags, s->state, s->exit_state, s->usage, s->prev,
			    s->prev_leads_here ? "itself" : "other");
}

// Whether the number is in the table, and no task has it: alloc_pid() has run for a fork, or
// free_pid() has yet to come for the dead.
static bool takes_empty_pid(struct tasks *ts, uint64_t number)
{
	const uint64_t *i = u64map_get(&ts->empty_pid_at, number);

	if (i)
		ts->empty_pids.at[*i].has_task = true;
	return i != NULL;
}

static struct lifecycle unlisted_life(struct walk *w, const struct signs *s)
{
	struct lifecycle l = {.class = LIFE_FRESH, .phase = "N0", .lost = LOST_ALL};

	if (s->exit_state) {
		l.class = LIFE_ZOMBIE;
		l.phase = s->usage ? "X2" : "X3";
		if (s->usage) // the number of what was freed may be another's by now
			(void)takes_empty_pid(w->tasks, s->pid);
	} else {
		if (takes_empty_pid(w->tasks, s->pid))
			l.phase = "N1";
		l.lost |= LOST_RUNS | LOST_OWN_NAME;
	}
	l.evidence = evidence(w, s);
	l.missing = lifecycle_missing(&w->run, l.lost);
	return l;
}

static void remember(struct walk *w, uint64_t task, const struct signs *s, unsigned views)
{
	bool own_numbers = s->exit_state || !tid_is_listed(w->tasks, s->pid);
	struct task *t = vec_add(&w->tasks->unlisted);

	*t = (struct task){
		.addr = task,
		.leader = s->pid == s->tgid ? task : s->leader,
		.donor = task,
		.flags = s->flags,
		.pid = (int64_t)s->tgid,
		.tid = (int64_t)s->pid,
		.has_pid = own_numbers,
		.has_tid = own_numbers,
		.comm = k_text(w->k, &w->run, task, F(task_struct, comm)),
		.life = unlisted_life(w, s),
		.found_by = found_by(views),
	};
}

// It has its pid, or is like nothing that may be outside: the list should have it. A copy of a
// parent, with the parent's number, is in no other list either.
static bool should_be_listed(struct walk *w, uint64_t task, const struct signs *s, unsigned views)
{
	unsigned lists = 1U << VIEW_CHILDREN | 1U << VIEW_CSS_SET | 1U << VIEW_RUN_QUEUE;

	if (s->pid_owner == task)
		return true;
	return !s->exit_state && !(s->state & TASK_NEW) &&
	       (views & lists || !tid_is_listed(w->tasks, s->pid));
}

static void consider(struct walk *w, uint64_t task, unsigned views)
{
	struct signs s;

	if (u64map_get(&w->tasks->by_addr, task) || !looks_like_a_task(w, task) ||
	    !read_signs(w, task, &s))
		return;
	if (!s.exit_state && (!s.usage || s.state == TASK_DEAD))
		return; // a fork that failed, and says so in copy_process()
	if (should_be_listed(w, task, &s, views))
		tasks_add_unlisted(
			w, task, s.pid == s.tgid ? task : s.leader, found_by(views),
			arena_printf(&w->run, "%s %s", views_text(w, views), evidence(w, &s)));
	else
		remember(w, task, &s, views);
}

static void add_candidate(void *arg, uint64_t task, enum task_view view)
{
	struct walk *w = arg;
	struct tasks *ts = w->tasks;

	if (u64map_get(&ts->by_addr, task) || task == w->k->init_task)
		return;
	if (u64map_add(&ts->candidate_at, task, ts->candidates.n))
		vec_push(&ts->candidates, ((struct candidate){task, 0}));
	ts->candidates.at[*u64map_get(&ts->candidate_at, task)].views |= 1U << view;
}

void unlisted_find(struct walk *w)
{
	struct tasks *ts = w->tasks;
	const struct candidate *c;
	const struct task *t;

	if (!k_has(w->k, F(task_struct, usage)))
		return;
	vec_foreach (t, &ts->all)
		if (t->has_tid)
			(void)u64map_add(&ts->tids, (uint64_t)t->tid, 0);
	pids_each(w, add_candidate, w);
	relatives_each(w, add_candidate, w);
	css_sets_each(w, add_candidate, w);
	run_queues_each(w, add_candidate, w);
	task_scan(w, add_candidate, w);
	vec_foreach (c, &ts->candidates)
		consider(w, c->addr, c->views);
	vec_fini(&ts->candidates);
	u64map_fini(&ts->candidate_at);
	u64map_fini(&ts->tids);
}

// --- rows ---

static void emit_process(struct walk *w, const struct task *t)
{
	struct row_processes row = process_remains(w, t);

	if (t->life.class == LIFE_ZOMBIE) {
		row.exit_code = col_int(w, t->addr, F(task_struct, exit_code));
		process_started(w, t->addr, &row);
	}
	WALK_EMIT(w, processes, &row);
}

void unlisted_emit_processes(struct walk *w)
{
	const struct task *t;

	vec_foreach (t, &w->tasks->unlisted)
		if (task_is_leader(t))
			emit_process(w, t);
}
