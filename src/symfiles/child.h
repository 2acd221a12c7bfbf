// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads a hostile file in a process of its own, which can do nothing but compute, and answer once.
//
// libdwarf, libelf and the unpackers were not written for files that somebody made to break them.
// What breaks here is the child: the caller gets one error that says how, and goes on.
#ifndef VMI_SYMFILES_CHILD_H
#define VMI_SYMFILES_CHILD_H

#include "src/base/err.h"
#include "src/sandbox/sandbox.h"
#include "symbols/profile.h"

#include <stdint.h>

// What is done in the child; *out is handed over, *arg is seen as it was.
typedef struct err *child_work(void *arg, struct profile **out);

// fd is the file that it reads, or -1: nothing else stays open in the child. key is checked as
// profile_read() does. ERR_FORMAT where the child crashed, ERR_LIMIT where it was stopped.
struct err *child_run(child_work *work, void *arg, int fd, uint64_t key,
		      const struct child_limits *limits, struct profile **out);

#endif
