// SPDX-License-Identifier: LGPL-2.1-or-later
// Tasks that the task list does not have: forks that are not in it yet, the dead that are no
// longer, and those that should be.
#ifndef VMI_WALK_UNLISTED_H
#define VMI_WALK_UNLISTED_H

#include "src/walk/tasks.h"

// Where else a task is found. The first that has it becomes its found_by, all of them evidence.
enum task_view {
	VIEW_PID,	// the table of pids
	VIEW_CHILDREN,	// its parent's list of children
	VIEW_PARENT,	// its child's real_parent
	VIEW_CSS_SET,	// the list of a control group's tasks
	VIEW_RUN_QUEUE, // what runs on a CPU, and what waits for it
	VIEW_TASK_SCAN, // the slabs that task_structs are allocated from
	VIEW_COUNT
};

// Gets what may be a task_struct. Known ones come, too, and one may come more than once.
typedef void task_visit(void *arg, uint64_t task, enum task_view view);

// By where they look. A task has a page of its own at least: more entries than this, whatever the
// list, are a circle or a lie.
#define MOST_ENTRIES(w) (4 * (w)->ram_pages)
void pids_each(struct walk *w, task_visit *visit, void *arg);
void relatives_each(struct walk *w, task_visit *visit, void *arg);
void css_sets_each(struct walk *w, task_visit *visit, void *arg);
void run_queues_each(struct walk *w, task_visit *visit, void *arg);
void task_scan(struct walk *w, task_visit *visit, void *arg);

// Fills w->tasks->unlisted with embryos and the dead; tasks that live are added to the others by
// tasks_add_unlisted().
void unlisted_find(struct walk *w);

// Their rows of processes; those of threads are thread.c's.
void unlisted_emit_processes(struct walk *w);

#endif
