// SPDX-License-Identifier: LGPL-2.1-or-later
// Later pieces over earlier ones, by a merge sort that cuts where they overlap.
//
// What was added falls into lists that are sorted and free of overlap as they stand, mostly one or
// two of them. Neighbouring lists are laid over each other, the later one on top, until one is
// left: in all n log n, however wild the order.
#include "formats/overlay.h"

#include "src/base/mem.h"

#include <string.h>

typedef VEC(struct overlay_piece) piece_vec;

struct list {
	const struct overlay_piece *at;
	size_t n;
};

static uint64_t end_of(const struct overlay_piece *p)
{
	return p->at + p->size;
}

static void append(piece_vec *to, struct overlay_piece p)
{
	struct overlay_piece *last = to->n ? &to->at[to->n - 1] : NULL;

	if (last && end_of(last) == p.at && last->from + last->size == p.from)
		last->size += p.size;
	else
		vec_push(to, p);
}

void overlay_add(struct overlay *o, uint64_t at, uint64_t size, uint64_t from)
{
	if (size > 0)
		vec_push(&o->pieces, ((struct overlay_piece){at, size, from}));
}

// p without what lies before `start`.
static struct overlay_piece cut_front(struct overlay_piece p, uint64_t start)
{
	uint64_t n = start > p.at ? start - p.at : 0;

	if (n > p.size)
		n = p.size;
	return (struct overlay_piece){p.at + n, p.size - n, p.from + n};
}

// Both are sorted and without overlap, and so is what is appended.
static void lay_over(struct list below, struct list above, piece_vec *to)
{
	size_t b = 0, a = 0;
	struct overlay_piece rest = below.n ? below.at[0] : (struct overlay_piece){0};

	while (b < below.n) {
		if (a < above.n && above.at[a].at <= rest.at) {
			rest = cut_front(rest, end_of(&above.at[a]));
			if (rest.size > 0)
				append(to, above.at[a++]);
		} else {
			uint64_t stop = a < above.n ? above.at[a].at : UINT64_MAX;
			struct overlay_piece head = rest;
			if (head.size > stop - head.at)
				head.size = stop - head.at;
			append(to, head);
			rest = cut_front(rest, end_of(&head));
		}
		if (rest.size == 0 && ++b < below.n)
			rest = below.at[b];
	}
	while (a < above.n)
		append(to, above.at[a++]);
}

// The length of the leading list that is in order as it stands.
static size_t in_order(const struct overlay_piece *p, size_t n)
{
	size_t i = 1;

	while (i < n && p[i].at >= end_of(&p[i - 1]))
		i++;
	return n ? i : 0;
}

// Lays every second list over the one before it; gives how many are left. ends[i] is where list i
// ends in the pieces.
static size_t merge_pairs(struct overlay *o, size_t *ends, size_t n)
{
	piece_vec out = {0};
	const struct overlay_piece *p = o->pieces.at;
	size_t start = 0;

	for (size_t i = 0; i < n; i += 2) {
		size_t mid = ends[i], end = i + 1 < n ? ends[i + 1] : mid;
		lay_over((struct list){p + start, mid - start}, (struct list){p + mid, end - mid},
			 &out);
		start = end;
		ends[i / 2] = out.n;
	}
	vec_fini(&o->pieces);
	o->pieces.at = out.at;
	o->pieces.n = out.n;
	o->pieces.cap = out.cap;
	return (n + 1) / 2;
}

void overlay_settle(struct overlay *o)
{
	VEC(size_t) ends = {0};

	for (size_t i = 0; i < o->pieces.n;) {
		i += in_order(o->pieces.at + i, o->pieces.n - i);
		vec_push(&ends, i);
	}
	while (ends.n > 1)
		ends.n = merge_pairs(o, ends.at, ends.n);
	vec_fini(&ends);
}

void overlay_fini(struct overlay *o)
{
	vec_fini(&o->pieces);
}

// The last piece that begins at or before `at`, or the first.
static size_t search(const struct overlay *o, uint64_t at)
{
	size_t lo = 0, hi = o->pieces.n;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (o->pieces.at[mid].at <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

bool overlay_find(struct overlay *o, uint64_t at, uint64_t *from, uint64_t *left)
{
	const struct overlay_piece *p = o->pieces.at;
	size_t n = o->pieces.n, i = o->last;

	if (i >= n || p[i].at > at || (i + 1 < n && p[i + 1].at <= at))
		i = n ? search(o, at) : 0;
	o->last = i;
	if (n > 0 && at >= p[i].at && at < end_of(&p[i])) {
		*from = p[i].from + (at - p[i].at);
		*left = end_of(&p[i]) - at;
		return true;
	}
	size_t next = n > 0 && p[i].at > at ? i : i + 1;
	*left = next < n ? p[next].at - at : UINT64_MAX - at;
	return false;
}
