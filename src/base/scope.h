// SPDX-License-Identifier: LGPL-2.1-or-later
// Scope guards: what is declared with _cleanup_(f) is given up by f on every way out.
#ifndef VMI_BASE_SCOPE_H
#define VMI_BASE_SCOPE_H

#include "src/base/mem.h"

#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

static inline void scope_free(void *p)
{
	mem_free(*(void **)p);
}

static inline void scope_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define _cleanup_free_	_cleanup_(scope_free)
#define _cleanup_close_ _cleanup_(scope_close)

#endif
