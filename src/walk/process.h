// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables of processes and threads themselves.
#ifndef VMI_WALK_PROCESS_H
#define VMI_WALK_PROCESS_H

#include "src/walk/tasks.h"

// The letter of /proc/PID/stat.
char process_state_letter(struct walk *w, uint64_t task);

// What a process's row has of every leader, be it listed, an embryo or dead; the rest is absent.
struct row_processes process_remains(struct walk *w, const struct task *leader);

// When a task was started, if the clock is known.
void process_started(struct walk *w, uint64_t task, struct row_processes *row);

// The path of a task's control group in the unified hierarchy, in the row arena; NULL if
// unreadable.
const char *process_cgroup(struct walk *w, uint64_t task);

// A JSON array of the NUL-terminated strings in p[0..n), in the row arena.
struct opt_text process_argv_json(struct walk *w, const char *p, size_t n);

extern const struct extractor walk_processes, walk_threads, walk_namespaces;

#endif
