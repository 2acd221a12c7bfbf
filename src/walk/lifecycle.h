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

// What can't be known of a task: the columns that would tell it are NULL, not what is left over.
enum lost {
	LOST_MEMORY = 1 << 0, // with it arguments, environment, mappings and executable
	LOST_FILES = 1 << 1,
	LOST_DIRECTORIES = 1 << 2,
	LOST_NAMESPACES = 1 << 3,
	LOST_STACK = 1 << 4,
	LOST_CGROUP = 1 << 5,
	LOST_RUNS = 1 << 6,	 // it has not run yet
	LOST_OWN_NAME = 1 << 7,	 // what is shown is its parent's
	LOST_NEW_NAME = 1 << 8,	 // in exec: what is shown may be the old program's
	LOST_ARGUMENTS = 1 << 9, // in exec: not there yet
	LOST_TO_THREADS = 1 << 10,
};

struct lifecycle {
	enum lifecycle_class class;
	const char *phase;    // "Z2"; NULL for the plainly alive
	const char *evidence; // the field values that decided; in the run arena
	unsigned lost;	      // bits of enum lost
	const char *missing;  // the same in words; NULL if nothing
	// Not exiting, yet without what every listed task has: memory that was read at two times.
	bool impossible;
};

const char *lifecycle_text(enum lifecycle_class c); // NULL for the unknown

// The words for bits of enum lost, with commas between; NULL for none.
const char *lifecycle_missing(struct arena *a, unsigned lost);

// live_threads: tasks of its group that have not exited, itself included.
struct lifecycle lifecycle_of(struct walk *w, uint64_t task, bool is_leader, size_t live_threads);

#endif
