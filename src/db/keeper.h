// SPDX-License-Identifier: LGPL-2.1-or-later
// The process that gives a finished file its name.
//
// Who may rename a file may put another in its place or remove it, also the evidence that lies in
// the same folder. So the one that reads the image gives up that right, and a process that reads
// nothing but one letter keeps it: it was forked before, knows both names, and waits. It gives the
// file its name when it is told to, and removes it when nobody is there any more to tell it.
#ifndef VMI_DB_KEEPER_H
#define VMI_DB_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

struct keeper {
	volatile pid_t pid; // 0: none
	volatile int to;    // the way of its order
};

// What is kept: the file at `path` is to be `name`, both in the folder that dir_fd is of, if it is
// one; replace: the name may be taken by then.
struct kept {
	const char *path, *name;
	int dir_fd;
	bool replace;
};

// False with errno where there is no process to be had. All signals must be blocked: in the keeper
// they stay so, and the maker has somebody to remove the file before its handlers are called.
bool keeper_begin(struct keeper *k, const struct kept *file);

// Both end it, and wait for that: 0 or an errno. The second may be called by a signal handler.
int keeper_name(struct keeper *k);
void keeper_remove(struct keeper *k);

#endif
