// SPDX-License-Identifier: LGPL-2.1-or-later
// cputime_adjust() of kernel/sched/cputime.c: ticks say how user and system time relate, the
// scheduler's clock says how much there was.
#include "src/walk/cputime.h"

struct raw_time {
	uint64_t user, system, runtime, prev_user, prev_system;
};

__extension__ typedef unsigned __int128 u128;

// part / (part + rest) of the runtime; both are above 0.
static uint64_t scale(uint64_t part, uint64_t rest, uint64_t runtime)
{
	return (uint64_t)((u128)part * runtime / ((u128)part + rest));
}

static struct cputime adjust(const struct raw_time *t)
{
	uint64_t system, user;

	if (t->prev_user + t->prev_system >= t->runtime)
		return (struct cputime){t->prev_user, t->prev_system};
	if (t->system == 0)
		system = 0;
	else if (t->user == 0)
		system = t->runtime;
	else
		system = scale(t->system, t->user, t->runtime);
	if (system < t->prev_system)
		system = t->prev_system;
	user = t->runtime - system;
	if (user < t->prev_user) {
		user = t->prev_user;
		system = t->runtime - user;
	}
	return (struct cputime){user, system};
}

struct cputime cputime_of_task(struct walk *w, const struct task *t)
{
	struct kernel *k = w->k;
	struct raw_time raw = {
		.user = k_or0(k, t->addr, F(task_struct, utime)),
		.system = k_or0(k, t->addr, F(task_struct, stime)),
		.runtime = k_or0(k, t->addr, F(task_struct, sum_exec_runtime)),
		.prev_user = k_or0(k, t->addr, F(task_struct, prev_utime)),
		.prev_system = k_or0(k, t->addr, F(task_struct, prev_stime)),
	};

	return adjust(&raw);
}

struct cputime cputime_of_group(struct walk *w, const struct task *leader)
{
	struct kernel *k = w->k;
	struct raw_time raw = {
		.user = k_or0(k, leader->signal, F(signal_struct, utime)),
		.system = k_or0(k, leader->signal, F(signal_struct, stime)),
		.runtime = k_or0(k, leader->signal, F(signal_struct, runtime)),
		.prev_user = k_or0(k, leader->signal, F(signal_struct, prev_utime)),
		.prev_system = k_or0(k, leader->signal, F(signal_struct, prev_stime)),
	};

	for (size_t i = 0; i < leader->n_threads; i++) {
		raw.user += k_or0(k, leader[i].addr, F(task_struct, utime));
		raw.system += k_or0(k, leader[i].addr, F(task_struct, stime));
		raw.runtime += k_or0(k, leader[i].addr, F(task_struct, sum_exec_runtime));
	}
	return adjust(&raw);
}
