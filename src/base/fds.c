// SPDX-License-Identifier: LGPL-2.1-or-later
// By close_range(), which the kernel has since 5.9, or one by one.
#include "src/base/fds.h"

#include <limits.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum { ONE_BY_ONE = 1024 }; // what a process may have where nobody raised the limit

static void close_between(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	for (unsigned fd = first; fd <= last && fd < ONE_BY_ONE; fd++)
		(void)close((int)fd);
}

void fds_close_but(int first, int one, int other)
{
	int low = one < other ? one : other, high = one < other ? other : one;
	const int kept[] = {low, high};

	for (int i = 0; i < 2; i++) {
		if (kept[i] < first)
			continue;
		if (kept[i] > first)
			close_between((unsigned)first, (unsigned)kept[i] - 1);
		first = kept[i] + 1;
	}
	close_between((unsigned)first, UINT_MAX);
}

static void close_held(void *what)
{
	(void)close((int)(intptr_t)what);
}

struct mem_held *fds_hold(void)
{
	return mem_hold(close_held);
}

void fds_holds(struct mem_held *h, int fd)
{
	if (fd >= 0)
		mem_holds(h, (void *)(intptr_t)fd);
}
