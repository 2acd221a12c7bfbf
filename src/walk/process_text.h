// SPDX-License-Identifier: LGPL-2.1-or-later
// Arguments and environment of a process, out of its own memory.
#ifndef VMI_WALK_PROCESS_TEXT_H
#define VMI_WALK_PROCESS_TEXT_H

#include "src/walk/tasks.h"

// Bytes of user memory in the row arena.
struct user_text {
	const char *p; // NULL: can't be read, `why` says what ended it
	size_t n;
	bool whole;  // false: some of the end is missing, for the reason in `why`
	bool absurd; // the range is longer than there can be, or not the process's memory
	enum as_fault why;
};

// What /proc/PID/cmdline holds: arguments, each with its NUL.
struct user_text process_arguments(struct walk *w, const struct task *t);
// What /proc/PID/environ holds.
struct user_text process_environment(struct walk *w, const struct task *t);

// Says of what is missing why. what: "the arguments"
void process_text_check(struct walk *w, enum table_id table, const struct task *t,
			const struct user_text *text, const char *what);

extern const struct extractor walk_envs;

#endif
