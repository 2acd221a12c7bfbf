// SPDX-License-Identifier: LGPL-2.1-or-later
// Where in its life a task is: born, alive, exec'ing, dying, dead. The classes are those of Suneja
// et al., "Exploring VM Introspection: Techniques and Trade-offs" (VEE 2015); the predicates follow
// the order of copy_process(), begin_new_exec() and do_exit() in Linux 5.10 to 7.2.
#ifndef VMI_WALK_LIFECYCLE_H
#define VMI_WALK_LIFECYCLE_H

#include "src/walk/walk.h"

enum lifecycle_class {
	LIFE_LIVE,
	LIFE_FRESH,
	LIFE_DYING,
	LIFE_AS_GOOD_AS_DEAD,
	LIFE_ZOMBIE,
	LIFE_UNKNOWN, // what decides can't be read
};

struct lifecycle {
	enum lifecycle_class class;
	const char *phase;    // "Z2"; NULL for the plainly alive
	const char *evidence; // the field values that decided; in the run arena
	const char *missing;  // what can't be known of such a task; NULL if nothing
	// Not exiting, yet without what every listed task has: memory that was read at two times.
	bool impossible;
};

const char *lifecycle_text(enum lifecycle_class c); // NULL for the unknown

// live_threads: tasks of its group that have not exited, itself included.
struct lifecycle lifecycle_of(struct walk *w, uint64_t task, bool is_leader, size_t live_threads);

#endif
