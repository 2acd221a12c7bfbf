// SPDX-License-Identifier: LGPL-2.1-or-later
// One line of stderr, written over and over.
#include "src/cli/progress.h"

#include "src/cli/terminal.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

// Quick work shows nothing; slow work ten lines a second.
static const int64_t QUIET_AT_FIRST_NS = 300000000, BETWEEN_NS = 100000000;

int64_t progress_now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void progress_init(struct progress *p, bool allowed)
{
	*p = (struct progress){.on = allowed && isatty(STDERR_FILENO)};
	p->begun_ns = progress_now_ns();
}

static void show(const char *what, uint64_t done, uint64_t total)
{
	char size[SIZE_TEXT];

	(void)fprintf(stderr, "\r\033[Kvmiscan: %.40s", what);
	if (total > 0)
		(void)fprintf(stderr, " %" PRIu64 "%%",
			      done >= total ? 100 : done / (total / 100 + 1));
	if (total > 1 << 20)
		(void)fprintf(stderr, " of %s", size_text(size, total));
	(void)fflush(stderr);
}

void progress_step(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	int64_t now = p->on ? progress_now_ns() : 0;

	if (!p->on || now - p->begun_ns < QUIET_AT_FIRST_NS || now - p->last_ns < BETWEEN_NS)
		return;
	p->last_ns = now;
	p->shown = true;
	show(what, done, total);
}

void progress_clear(struct progress *p)
{
	if (p->shown)
		(void)fputs("\r\033[K", stderr);
	p->shown = false;
}
