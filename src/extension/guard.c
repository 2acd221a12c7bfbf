// SPDX-License-Identifier: LGPL-2.1-or-later
// The one setjmp(): no frame of the host or of SQLite lies between it and what runs out of memory.
#include "src/extension/guard.h"

struct err *guard_run(struct mem_pool *pool, struct err *(*work)(void *arg), void *arg, bool *dead)
{
	struct err *e;

	*dead = false;
	if (setjmp(pool->escape) == 0) {
		mem_pool_enter(pool);
		e = work(arg);
	} else {
		e = err_new(ERR_LIMIT, "the image needs more memory than max_memory, or this "
				       "machine, gives");
		*dead = true;
	}
	mem_pool_leave();
	return e;
}

void guard_leave(struct mem_pool *pool)
{
	longjmp(pool->escape, 1);
}
