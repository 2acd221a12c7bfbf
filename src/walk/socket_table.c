// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks hash tables of sockets: arrays of buckets with chains that end in NULL or a nulls marker.
#include "src/walk/socket.h"

#include "src/phys/physmem.h"

#include <inttypes.h>

enum {
	MAX_SOCKETS = 1 << 23,
	MAX_BUCKETS = 1 << 26, // of all tables together; one has at most
	MAX_TABLE = 1 << 24,
	MAX_SKBS = 1 << 24,
};

void socket_scan_init(struct socket_scan *s, struct walk *w)
{
	*s = (struct socket_scan){
		.w = w, .budget = MAX_SOCKETS, .buckets = MAX_BUCKETS, .skbs = MAX_SKBS};
}

void socket_scan_fini(struct socket_scan *s)
{
	netdevs_fini(&s->devs);
	u64map_fini(&s->seen);
}

static bool is_socket(struct socket_scan *s, const struct socket_table *t, uint64_t sk)
{
	struct kernel *k = s->w->k;
	uint64_t family, state;

	return k_get(k, sk, F(sock_common, skc_family), &family) && family < KAF_MAX &&
	       t->families >> family & 1 && k_get(k, sk, F(sock_common, skc_state), &state) &&
	       state > 0 && state <= SOCK_STATE_MAX &&
	       netns_add(s->w, &s->devs.nets, k_or0(k, sk, F(sock_common, skc_net)));
}

static bool is_mini(struct socket_scan *s, const struct socket_table *t, uint64_t sk)
{
	uint64_t state = k_or0(s->w->k, sk, F(sock_common, skc_state));

	return t->minis && (state == TCP_NEW_SYN_RECV_STATE || state == TCP_TIME_WAIT_STATE);
}

void socket_found(struct socket_scan *s, struct socket_table *t, uint64_t sk)
{
	struct row_sockets row = {0};

	if (!is_socket(s, t, sk)) {
		if (t->strangers++ == 0)
			t->first_stranger = sk;
		return;
	}
	if (!u64map_add(&s->seen, sk, 0))
		return;
	if (is_mini(s, t, sk))
		socket_describe_mini(s, sk, &row);
	else
		socket_describe(s, sk, &row);
	WALK_EMIT(s->w, sockets, &row);
}

bool socket_scan_chain(struct socket_scan *s, struct socket_table *t, uint64_t first)
{
	struct chain_iter it;
	uint64_t node;

	if (!first)
		return true;
	chain_begin(&it, s->w->k, first, 0, s->budget);
	while (chain_next(&it, &node))
		socket_found(s, t, k_container(s->w->k, node, t->node));
	s->budget -= it.n < s->budget ? it.n : s->budget;
	if (it.end != ITER_END && t->broken++ == 0) {
		t->first_broken = first;
		t->how_broken = it.end;
	}
	return it.end != ITER_LIMIT;
}

// The buckets of a page at most, read at once. False if the search must end.
static bool scan_part(struct socket_scan *s, struct socket_table *t, uint64_t first, uint64_t n,
		      bool *readable)
{
	uint8_t part[PAGE_SIZE];

	*readable = k_read(s->w->k, t->buckets + first * t->stride, part, n * t->stride);
	for (uint64_t i = 0; *readable && i < n; i++)
		if (!socket_scan_chain(s, t, k_ptr_in(s->w->k, part + i * t->stride + t->head)))
			return false;
	return true;
}

void socket_table_end(const struct socket_scan *s, const struct socket_table *t)
{
	if (t->strangers)
		walk_problem(s->w, WARNING, TABLE_sockets, 0, t->first_stranger,
			     "%s: %" PRIu64 " entries are no sockets", t->what, t->strangers);
	if (t->broken)
		walk_problem(s->w, ERROR, TABLE_sockets, 0, t->first_broken,
			     "%s: %" PRIu64 " of its chains are cut short, the first: %s", t->what,
			     t->broken, iter_end_text(t->how_broken));
}

static bool can_be_read(const struct socket_scan *s, const struct socket_table *t)
{
	bool is_power_of_two = t->n > 0 && (t->n & (t->n - 1)) == 0;

	return t->buckets && is_power_of_two && t->n <= MAX_TABLE && t->n <= s->buckets &&
	       t->stride >= t->head + s->w->k->word && t->stride <= PAGE_SIZE &&
	       k_has(s->w->k, t->node);
}

void socket_scan_table(struct socket_scan *s, struct socket_table *t)
{
	uint64_t step, missing = 0;
	bool readable;

	if (!can_be_read(s, t)) {
		walk_problem(s->w, ERROR, TABLE_sockets, 0, t->buckets, "%s can't be read",
			     t->what);
		return;
	}
	s->buckets -= t->n;
	step = PAGE_SIZE / t->stride;
	for (uint64_t i = 0; i < t->n; i += step) {
		if (!scan_part(s, t, i, t->n - i < step ? t->n - i : step, &readable))
			break;
		missing += !readable;
	}
	if (missing)
		walk_problem(s->w, ERROR, TABLE_sockets, 0, t->buckets,
			     "%s: %" PRIu64 " pages of it can't be read", t->what, missing);
	socket_table_end(s, t);
}
