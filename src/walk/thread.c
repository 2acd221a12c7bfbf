// SPDX-License-Identifier: LGPL-2.1-or-later
// threads: one row a task.
#include "src/walk/cputime.h"
#include "src/walk/process.h"
#include "src/walk/unlisted.h"

enum {
	TASK_REPORT = 0x7f, // the bits of state and exit_state that have a letter
	TASK_IDLE = 0x402,  // TASK_UNINTERRUPTIBLE | TASK_NOLOAD
	TASK_UNINTERRUPTIBLE = 2,
	TASK_SPECIAL = 0x9000, // TASK_RTLOCK_WAIT, TASK_FROZEN: shown as D
	MAX_RT_PRIO = 100,
	NS_PER_MS = 1000000,
};

// task_state_to_char(): the highest bit that is set counts. include/linux/sched.h.
char process_state_letter(struct walk *w, uint64_t task)
{
	static const char letters[] = "RSDTtXZP";
	uint64_t state, exit_state;

	if (!k_get(w->k, task, F(task_struct, state), &state) ||
	    !k_get(w->k, task, F(task_struct, exit_state), &exit_state))
		return '\0';
	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	uint64_t bits = (state | exit_state) & TASK_REPORT;
	if (state & TASK_SPECIAL)
		bits = TASK_UNINTERRUPTIBLE;
	return letters[bits ? 64 - __builtin_clzll(bits) : 0];
}

static struct opt_text policy(struct walk *w, uint64_t task)
{
	// include/uapi/linux/sched.h
	static const char *const names[] = {"normal", "fifo", "rr",	  "batch",
					    NULL,     "idle", "deadline", "ext"};
	uint64_t v;

	if (!k_get(w->k, task, F(task_struct, policy), &v))
		return (struct opt_text){0};
	if (v < sizeof(names) / sizeof(names[0]) && names[v])
		return some_text(names[v]);
	return row_printf(w, "%llu", (unsigned long long)v);
}

static struct opt_int minus(struct opt_int v, int64_t n)
{
	v.v = wrapping_sum(v.v, -n);
	return v;
}

// What also is true of an embryo and of the dead.
static struct row_threads remains(struct walk *w, const struct task *t)
{
	char state = process_state_letter(w, t->addr);

	return (struct row_threads){
		.pid = task_pid(t),
		.tid = task_tid(t),
		.name = some_text(t->comm),
		.state = state ? some_bytes(arena_strndup(&w->row, &state, 1), 1)
			       : (struct opt_text){0},
		.lifecycle = some_text(lifecycle_text(t->life.class)),
		.phase = some_text(t->life.phase),
		.flags = col_int(w, t->addr, F(task_struct, flags)),
		.task_addr = some_addr(t->addr),
		.found_by = some_text(t->found_by),
	};
}

static void emit_thread(struct walk *w, const struct task *t)
{
	struct cputime cpu = cputime_of_task(w, t);
	struct opt_int start = col_int(w, t->addr, F(task_struct, start_boottime));
	struct row_threads row = remains(w, t);

	if (!task_lost(t, LOST_RUNS))
		row.cpu =
			w->k->uniprocessor ? some_int(0) : col_int(w, t->addr, F(task_struct, cpu));
	row.priority = minus(col_int(w, t->addr, F(task_struct, prio)), MAX_RT_PRIO);
	row.nice = minus(col_int(w, t->addr, F(task_struct, static_prio)), 120);
	row.policy = policy(w, t->addr);
	row.user_time = some_int((int64_t)(cpu.user_ns / NS_PER_MS));
	row.system_time = some_int((int64_t)(cpu.system_ns / NS_PER_MS));
	row.stack_addr = col_addr(w, t->addr, F(task_struct, stack));
	if (start.set && w->boot_ns.set)
		row.start_ns = some_int(wrapping_sum(w->boot_ns.v, start.v));
	WALK_EMIT(w, threads, &row);
}

static void run(struct walk *w)
{
	const struct task *t;

	vec_foreach (t, &w->tasks->all)
		emit_thread(w, t);
	vec_foreach (t, &w->tasks->unlisted) {
		struct row_threads row = remains(w, t);
		WALK_EMIT(w, threads, &row);
	}
}

const struct extractor walk_threads = {
	.name = "threads",
	.tables = {TABLE_threads},
	.n_tables = 1,
	.run = run,
};
