// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs of host frames, sorted once, found by binary search.
#include "formats/hostmap.h"

#include <stdlib.h>

void hostmap_fini(struct hostmap *m)
{
	vec_fini(&m->runs);
}

static bool follows(const struct hostmap_run *r, uint64_t host, uint64_t guest)
{
	return host - r->host == r->n && guest - r->guest == r->n;
}

void hostmap_add(struct hostmap *m, uint64_t host, uint64_t guest)
{
	size_t n = m->runs.n;

	if (n > 0 && follows(&m->runs.at[n - 1], host, guest))
		m->runs.at[n - 1].n++;
	else
		vec_push(&m->runs, ((struct hostmap_run){host, guest, 1}));
}

static int by_host(const void *a, const void *b)
{
	const struct hostmap_run *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return (x->guest > y->guest) - (x->guest < y->guest);
}

void hostmap_sort(struct hostmap *m)
{
	if (m->runs.n)
		qsort(m->runs.at, m->runs.n, sizeof(*m->runs.at), by_host);
}

bool hostmap_find(const struct hostmap *m, uint64_t host, uint64_t *guest)
{
	size_t lo = 0, hi = m->runs.n; // of runs that start at host or below, there are lo

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->runs.at[mid].host <= host)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || host - m->runs.at[lo - 1].host >= m->runs.at[lo - 1].n)
		return false;
	*guest = m->runs.at[lo - 1].guest + (host - m->runs.at[lo - 1].host);
	return true;
}
