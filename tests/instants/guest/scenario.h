/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the programs of the guest share: each scenario is one life that the host wants to catch. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "guest.h" /* of samples/guest: CHECK, die, write_file */

#define SCENARIOS                                                                                  \
	SCENARIO(fork, "a child that exits and is waited for")                                     \
	SCENARIO(exec, "a child that becomes another program")                                     \
	SCENARIO(autoreap, "a child of a parent that ignores SIGCHLD")                             \
	SCENARIO(killed, "a child that is killed")                                                 \
	SCENARIO(threads, "a leader that exits before its threads")                                \
	SCENARIO(mtexec, "a thread, not the leader, that executes a program")                      \
	SCENARIO(core, "threads that dump core")                                                   \
	SCENARIO(vforked, "a child in its parent's memory")                                        \
	SCENARIO(traced, "a dead child that its tracer, not its parent, waits for")                \
	SCENARIO(umh, "a program that the kernel starts")                                          \
	SCENARIO(iouring, "a worker of io_uring")                                                  \
	SCENARIO(kthread, "a kernel thread that comes and goes with a mount")                      \
	SCENARIO(storm, "forks, execs, threads, files and mappings without end")                   \
	SCENARIO(busy, "processes that only compute")                                              \
	SCENARIO(web, "a web server and its clients")

#define SCENARIO(name, idea) void name##_scenario(void);
SCENARIOS
#undef SCENARIO

#define PROGRAM "/opt/instants/program"

/* A call that changes nothing, which the host takes as "here". */
void here(void);

/* Waits until the child is a zombie at rest; then the parent's own wait tells the host of it. */
void await_zombie(int pid);
void reap(int pid);

/* A child that calls itself by this name; it has the name when the parent goes on. */
int named_child(const char *name);

#endif
