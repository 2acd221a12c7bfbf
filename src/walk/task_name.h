// SPDX-License-Identifier: LGPL-2.1-or-later
// The name of a task as /proc/PID/comm prints it.
#ifndef VMI_WALK_TASK_NAME_H
#define VMI_WALK_TASK_NAME_H

#include "src/walk/walk.h"

// In the run arena; NULL if it can't be read.
const char *task_name(struct walk *w, uint64_t task, uint64_t flags);

#endif
