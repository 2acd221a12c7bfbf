// SPDX-License-Identifier: LGPL-2.1-or-later
// Processes that work side by side, at most so many, each with an answer of its own.
//
// Signals are waited for, not caught, so that none is lost between two looks: SIGHUP, SIGINT and
// SIGTERM end the children, who remove what they have begun, and then us in the same way.
#ifndef VMI_CLI_WORKERS_H
#define VMI_CLI_WORKERS_H

#include "src/base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

struct workers {
	size_t most;	    // at once
	size_t answer_size; // at most PIPE_BUF
	// In the child: does job number `job`, fills the answer and gives the exit status.
	int (*work)(void *arg, size_t job, void *answer);
	// In the parent, once it is done; status 128 + n: a signal ended it. answer is what the
	// child sent, or NULL.
	void (*done)(void *arg, size_t job, int status, const void *answer);
	void *arg;
};

// Jobs 0 to n - 1, in that order of beginning. *signal is what ended it early, or 0; the caller
// cleans up and calls workers_die().
struct err *workers_run(const struct workers *w, size_t n, int *signal);
void workers_die(int signal);

// Sends the answer, for a child that ends elsewhere than in work().
void workers_answer(const void *answer);

// How many CPUs this process may run on.
size_t workers_cpus(void);

#endif
