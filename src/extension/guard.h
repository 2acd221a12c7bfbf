// SPDX-License-Identifier: LGPL-2.1-or-later
// Work of ours inside a host's process: its memory is in a pool, and when that ends, the work ends
// with an error and the host lives on.
#ifndef VMI_EXTENSION_GUARD_H
#define VMI_EXTENSION_GUARD_H

#include "src/base/err.h"
#include "src/base/mem.h"

#include <stdbool.h>

// What the work gives. *dead: memory ended within it, or it was left, and nothing of the pool may
// be used any more but mem_pool_fini(), which closes its files, too.
struct err *guard_run(struct mem_pool *pool, struct err *(*work)(void *arg), void *arg, bool *dead);
// From within the work: it ends here.
_Noreturn void guard_leave(struct mem_pool *pool);

#endif
