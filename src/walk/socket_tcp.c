// SPDX-License-Identifier: LGPL-2.1-or-later
// TCP: the table of connections (with those being opened or forgotten), and the listeners.
#include "src/walk/socket.h"

enum { FAMILIES = 1 << KAF_INET | 1 << KAF_INET6 };

// Where a namespace says that its table is; 0 if it does not.
static uint64_t hashinfo_of(struct walk *w, uint64_t net)
{
	struct kernel *k = w->k;
	enum field f = F(net, tcp_death_row);
	uint64_t row = k->field[f].is_pointer ? k_or0(k, net, f) : k_field_va(k, net, f);

	return k_or0(k, row, F(inet_timewait_death_row, hashinfo));
}

static void scan_ehash(struct socket_scan *s, uint64_t info)
{
	struct kernel *k = s->w->k;
	struct socket_table t = {
		.what = "the table of TCP connections",
		.families = FAMILIES,
		.node = F(sock_common, skc_node),
		.minis = true,
		.buckets = k_or0(k, info, F(inet_hashinfo, ehash)),
		.n = k_or0(k, info, F(inet_hashinfo, ehash_mask)) + 1,
		.stride = k_sizeof(k, "inet_ehash_bucket"),
		.head = k->field[F(inet_ehash_bucket, chain)].off,
	};

	socket_scan_table(s, &t);
}

// Since 5.19 listeners are in lhash2 by the link that connections use. Before, listening_hash had
// that one, and lhash2 the same sockets by another: the former is enough, and part of the struct.
static void scan_listeners(struct socket_scan *s, uint64_t info)
{
	struct kernel *k = s->w->k;
	bool old = k_has(k, F(inet_hashinfo, listening_hash));
	struct socket_table t = {
		.what = "the table of TCP listeners",
		.families = FAMILIES,
		.node = F(sock_common, skc_node),
		.buckets = old ? k_field_va(k, info, F(inet_hashinfo, listening_hash))
			       : k_or0(k, info, F(inet_hashinfo, lhash2)),
		.n = old ? k->field[F(inet_hashinfo, listening_hash)].n_elem
			 : k_or0(k, info, F(inet_hashinfo, lhash2_mask)) + 1,
		.stride = k_sizeof(k, "inet_listen_hashbucket"),
		.head = k->field[F(inet_listen_hashbucket, head)].off,
	};

	socket_scan_table(s, &t);
}

// Namespaces share one table unless they asked for their own (tcp_child_ehash_entries, 6.1); those
// share the listeners.
static void scan_hashinfo(struct socket_scan *s, struct u64map *done, uint64_t info)
{
	struct kernel *k = s->w->k;
	uint64_t listeners = k_or0(k, info, F(inet_hashinfo, lhash2));

	if (!info || !u64map_add(done, k_or0(k, info, F(inet_hashinfo, ehash)), 0))
		return;
	scan_ehash(s, info);
	if (u64map_add(done, listeners ? listeners : info, 0))
		scan_listeners(s, info);
}

void socket_scan_tcp(struct socket_scan *s)
{
	struct u64map done = {0};

	for (size_t i = 0; i < s->devs.nets.all.n; i++)
		scan_hashinfo(s, &done, hashinfo_of(s->w, s->devs.nets.all.at[i].addr));
	scan_hashinfo(s, &done, s->w->k->symbol[S(tcp_hashinfo)]);
	if (done.n == 0)
		walk_problem(s->w, ERROR, TABLE_sockets, 0, 0,
			     "no table of TCP connections is known: those without a descriptor are "
			     "missing");
	u64map_fini(&done);
}
