// SPDX-License-Identifier: LGPL-2.1-or-later
// The progress line: on a terminal only, a few times a second, gone when the work is done.
#ifndef VMI_CLI_PROGRESS_H
#define VMI_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on, shown;
	int64_t begun_ns, last_ns;
};

// allowed: neither -q nor --no-progress was given.
void progress_init(struct progress *p, bool allowed);
// The callback of readers and walkers; arg is the struct progress. total 0: unknown.
void progress_step(void *arg, const char *what, uint64_t done, uint64_t total);
void progress_clear(struct progress *p);

// Nanoseconds of a clock that only goes forward.
int64_t progress_now_ns(void);

#endif
