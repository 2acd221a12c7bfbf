// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptors: that a forked process has no use for, and that end with a pool of memory.
#ifndef VMI_BASE_FDS_H
#define VMI_BASE_FDS_H

#include "src/base/mem.h"

// Closes all from `first` on but these two; -1 is none.
void fds_close_but(int first, int one, int other);

// mem_hold() and mem_holds() of a file; a negative one is none.
struct mem_held *fds_hold(void);
void fds_holds(struct mem_held *h, int fd);

#endif
