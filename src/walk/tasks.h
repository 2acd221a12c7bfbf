// SPDX-License-Identifier: LGPL-2.1-or-later
// Every task of the image, found once and shared by all extractors of processes.
#ifndef VMI_WALK_TASKS_H
#define VMI_WALK_TASKS_H

#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "src/walk/lifecycle.h"
#include "src/walk/walk.h"

enum {
	MAX_TASKS = 4 << 20, // PID_MAX_LIMIT of 64-bit kernels
	PF_EXITING = 0x4,
	PF_WQ_WORKER = 0x20,
	PF_KTHREAD = 0x00200000,
};

// A task_struct, with the fields that most extractors look at.
struct task {
	uint64_t addr, leader, signal, mm, files, fs, nsproxy, cred;
	// Where files, maps and the like of the process are read from: the task itself, or for a
	// leader that exited before its threads one of those that live.
	uint64_t donor;
	int64_t pid, tid; // in the initial pid namespace; 0 if they can't be read
	bool has_pid, has_tid;
	uint64_t flags;
	size_t n_threads; // of a leader: how many tasks follow it in the list, itself included
	const char *comm; // as /proc/PID/comm prints it, or NULL; in the run arena
	struct lifecycle life;
	const char *found_by; // tasks: the task list; else a name of enum task_view
	const char *off_list; // for one that lives outside the task list: what shows it, else NULL
};

// A struct pid that nobody has: of a fork that is in no list yet, or of a task that is released.
struct empty_pid {
	uint64_t addr, number;
	bool has_task; // the task_struct was found, too, and says which
};

// What may be a task outside the list.
struct candidate {
	uint64_t addr;
	unsigned views; // bits 1 << enum task_view of what has it
};

struct tasks {
	VEC(struct task) all;  // in the order of the task list; each leader followed by its threads
	struct u64map by_addr; // index into all
	VEC(struct task) unlisted; // embryos and the dead outside the list: src/walk/unlisted.h
	VEC(struct empty_pid) empty_pids;
	struct u64map empty_pid_at;	  // index by number
	VEC(struct candidate) candidates; // while they are looked for, with
	struct u64map candidate_at;	  // the index of each, and
	struct u64map tids;		  // the numbers of the list
};

static inline bool task_is_leader(const struct task *t)
{
	return t->addr == t->leader;
}

static inline bool task_is_kthread(const struct task *t)
{
	return t->flags & PF_KTHREAD;
}

// Whether a column that tells this (bits of enum lost) would say what is not true.
static inline bool task_lost(const struct task *t, unsigned what)
{
	return t->life.lost & what;
}

static inline struct opt_int task_pid(const struct task *t)
{
	return (struct opt_int){t->has_pid, t->pid};
}

static inline struct opt_int task_tid(const struct task *t)
{
	return (struct opt_int){t->has_tid, t->tid};
}

// The task at this address, or NULL.
const struct task *task_at(const struct tasks *ts, uint64_t addr);

// The first process, as which paths are seen; NULL if it is not listed, or there are no tasks.
const struct task *tasks_first(const struct tasks *ts);

// The next leader from *i on; moves *i behind it. NULL at the end.
const struct task *task_next_leader(const struct tasks *ts, size_t *i);

// A task that lives and is not in the list, or, if it is a leader, its whole group.
void tasks_add_unlisted(struct walk *w, uint64_t task, uint64_t leader, const char *found_by,
			const char *evidence);

void tasks_free(struct tasks *ts);

extern const struct extractor walk_tasks; // emits nothing; runs before all that use w->tasks

#endif
