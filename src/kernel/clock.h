// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's clock.
#ifndef VMI_KERNEL_CLOCK_H
#define VMI_KERNEL_CLOCK_H

#include "src/kernel/kernel.h"

// The clocks at the timekeeper's last update, in nanoseconds.
struct clock_reading {
	int64_t wall;	   // since the epoch
	int64_t boot;	   // the epoch's time at boot: wall - uptime
	int64_t uptime;	   // since boot, suspend included
	int64_t monotonic; // since boot, suspend left out
};

// Reads the timekeeper; false, with *why in plain words, if it can't be found or makes no sense.
bool kernel_clock(struct kernel *k, struct clock_reading *out, const char **why);

#endif
