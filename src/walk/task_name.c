// SPDX-License-Identifier: LGPL-2.1-or-later
// proc_task_name() of fs/proc/array.c: workers say what they work on, kernel threads with a long
// name have it whole.
#include "src/walk/task_name.h"

#include "src/walk/tasks.h"

enum { NAME_MAX_PROC = 63 }; // tcomm[64] in proc_task_name()

// to_kthread(): the pointer lives in worker_private, before 5.17 in set_child_tid.
static uint64_t kthread_of(struct walk *w, uint64_t task)
{
	return k_or0(w->k, task, F(task_struct, worker_private));
}

// wq_worker_comm() of kernel/workqueue.c: "-NAME" for the last work's queue, "+NAME" if at it.
static const char *worker_name(struct walk *w, uint64_t worker, const char *comm)
{
	struct kernel *k = w->k;
	uint64_t rescued = k_or0(k, worker, F(worker, rescue_wq));
	const char *wq = rescued ? k_text(k, &w->row, rescued, F(workqueue_struct, name)) : NULL;

	// 6.10 names rescuers in full here, which comm can't hold
	if (wq && k_has(k, F(kthread, full_name)) && __builtin_strncmp(comm, "kworker/R-", 10) == 0)
		comm = arena_printf(&w->row, "kworker/R-%s", wq);
	const char *desc = k_text(k, &w->row, worker, F(worker, desc));
	if (!k_or0(k, worker, F(worker, pool)) || !desc || !*desc)
		return arena_printf(&w->run, "%.*s", NAME_MAX_PROC, comm);
	char mark = k_or0(k, worker, F(worker, current_work)) ? '+' : '-';
	return arena_printf(&w->run, "%.*s", NAME_MAX_PROC,
			    arena_printf(&w->row, "%s%c%s", comm, mark, desc));
}

const char *task_name(struct walk *w, uint64_t task, uint64_t flags)
{
	struct kernel *k = w->k;
	const char *comm = k_text(k, &w->run, task, F(task_struct, comm));

	if (!comm || !(flags & PF_KTHREAD))
		return comm;
	uint64_t kthread = kthread_of(w, task);
	uint64_t data = k_or0(k, kthread, F(kthread, data));
	if ((flags & PF_WQ_WORKER) && data)
		return worker_name(w, data, comm);
	uint64_t full = k_or0(k, kthread, F(kthread, full_name));
	const char *name = full ? k_string(k, &w->run, full, NAME_MAX_PROC) : NULL;
	return name ? name : comm;
}
