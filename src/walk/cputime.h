// SPDX-License-Identifier: LGPL-2.1-or-later
// CPU times as /proc/PID/stat prints them.
#ifndef VMI_WALK_CPUTIME_H
#define VMI_WALK_CPUTIME_H

#include "src/walk/tasks.h"

struct cputime {
	uint64_t user_ns, system_ns;
};

struct cputime cputime_of_task(struct walk *w, const struct task *t);
// Of the group that t leads: its n_threads tasks, and those that exited.
struct cputime cputime_of_group(struct walk *w, const struct task *leader);

#endif
