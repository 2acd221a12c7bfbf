// SPDX-License-Identifier: LGPL-2.1-or-later
// Tasks that the task list does not have: forks that are not in it yet, the dead that are no
// longer, and those that should be.
#ifndef VMI_WALK_UNLISTED_H
#define VMI_WALK_UNLISTED_H

#include "src/walk/tasks.h"

// What may be a task_struct, with where it was found: pid or task_scan. Known ones come, too.
void task_scan(struct walk *w, void (*visit)(struct walk *w, uint64_t task, const char *source));

// Fills w->tasks->unlisted with embryos and the dead; tasks that live are added to the others by
// tasks_add_unlisted().
void unlisted_find(struct walk *w);

// Their rows of processes and threads.
void unlisted_emit_processes(struct walk *w);
void unlisted_emit_threads(struct walk *w);

#endif
