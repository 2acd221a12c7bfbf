// SPDX-License-Identifier: LGPL-2.1-or-later
// The tables of the simpler protocols: UDP, raw, ping, unix, packet and netlink.
#include "src/walk/socket.h"

enum {
	INET = 1 << KAF_INET,
	INET6 = 1 << KAF_INET6,
	UNIX_BUCKETS = 512, // UNIX_HASH_SIZE, 2 * UNIX_HASH_SIZE before 5.19: include/net/af_unix.h
	NETLINK_TABLES = 32, // MAX_LINKS, include/uapi/linux/netlink.h
};

static void say_unknown(struct socket_scan *s, const char *what)
{
	walk_problem(s->w, WARNING, TABLE_sockets, 0, 0,
		     "%s is not known in this kernel: sockets without a descriptor are missing",
		     what);
}

// --- UDP and UDP-Lite ---

static void scan_udp_table(struct socket_scan *s, uint64_t table, const char *what)
{
	struct kernel *k = s->w->k;
	struct socket_table t = {
		.what = what,
		.families = INET | INET6,
		.node = F(sock_common, skc_node),
		.buckets = k_or0(k, table, F(udp_table, hash)),
		.n = k_or0(k, table, F(udp_table, mask)) + 1,
		.stride = k_sizeof(k, "udp_hslot"),
		.head = k->field[F(udp_hslot, head)].off,
	};

	socket_scan_table(s, &t);
}

static void scan_udp(struct socket_scan *s)
{
	static const char what[] = "the table of UDP sockets";
	const uint64_t *symbol = s->w->k->symbol;
	struct u64map done = {0};

	for (size_t i = 0; i < s->devs.nets.all.n; i++) {
		uint64_t t = k_or0(s->w->k, s->devs.nets.all.at[i].addr, F(net, udp_table));
		if (t && u64map_add(&done, t, 0))
			scan_udp_table(s, t, what);
	}
	if (symbol[S(udp_table)] && u64map_add(&done, symbol[S(udp_table)], 0))
		scan_udp_table(s, symbol[S(udp_table)], what);
	if (done.n == 0)
		say_unknown(s, what);
	if (symbol[S(udplite_table)])
		scan_udp_table(s, symbol[S(udplite_table)], "the table of UDP-Lite sockets");
	u64map_fini(&done);
}

// --- raw and ping: arrays of list heads inside of the structure ---

static void scan_array(struct socket_scan *s, enum symbol table, enum field array,
		       uint64_t families, const char *what)
{
	struct kernel *k = s->w->k;
	const struct field_place *p = &k->field[array];
	struct socket_table t = {
		.what = what,
		.families = families,
		.node = F(sock_common, skc_node),
		.buckets = k_field_va(k, k->symbol[table], array),
		.n = p->n_elem,
		.stride = p->elem_size,
	};

	if (k_has_symbol(k, table))
		socket_scan_table(s, &t);
	else if (!k_has_none(k, table))
		say_unknown(s, what);
}

void socket_scan_inet(struct socket_scan *s)
{
	scan_udp(s);
	scan_array(s, S(raw_v4_hashinfo), F(raw_hashinfo, ht), INET, "the table of raw sockets");
	if (k_has_symbol(s->w->k, S(raw_v6_hashinfo))) // IPv6 may not be there, or be a module
		scan_array(s, S(raw_v6_hashinfo), F(raw_hashinfo, ht), INET6,
			   "the table of raw IPv6 sockets");
	scan_array(s, S(ping_table), F(ping_table, hash), INET | INET6,
		   "the table of ping sockets");
}

// --- unix ---

static void scan_unix_buckets(struct socket_scan *s, uint64_t buckets)
{
	struct socket_table t = {
		.what = "the table of unix sockets",
		.families = 1 << KAF_UNIX,
		.node = F(sock_common, skc_node),
		.buckets = buckets,
		.n = UNIX_BUCKETS,
		.stride = s->w->k->word, // struct hlist_head
	};

	socket_scan_table(s, &t);
}

void socket_scan_unix(struct socket_scan *s)
{
	struct kernel *k = s->w->k;

	if (!k_has(k, F(net, unix_buckets))) {
		if (k_has_symbol(k, S(unix_socket_table)))
			scan_unix_buckets(s, k->symbol[S(unix_socket_table)]);
		else if (!k_has_none(k, S(unix_socket_table)))
			say_unknown(s, "the table of unix sockets");
		return;
	}
	for (size_t i = 0; i < s->devs.nets.all.n; i++)
		scan_unix_buckets(s, k_or0(k, s->devs.nets.all.at[i].addr, F(net, unix_buckets)));
}

// --- packet ---

void socket_scan_packet(struct socket_scan *s)
{
	struct kernel *k = s->w->k;
	struct socket_table t = {
		.what = "the list of packet sockets",
		.families = 1 << KAF_PACKET,
		.node = F(sock_common, skc_node),
	};

	if (!k_has(k, F(net, packet_sklist))) // built without packet sockets
		return;
	for (size_t i = 0; i < s->devs.nets.all.n; i++)
		(void)socket_scan_chain(
			s, &t, k_or0(k, s->devs.nets.all.at[i].addr, F(net, packet_sklist)));
	socket_table_end(s, &t);
}

// --- netlink: a resizable table a protocol ---

struct netlink_scan {
	struct socket_scan *s;
	struct socket_table t;
};

static void visit_netlink(void *arg, uint64_t head)
{
	struct netlink_scan *n = arg;

	n->s->budget -= n->s->budget > 0;
	socket_found(n->s, &n->t, k_container(n->s->w->k, head, F(netlink_sock, node)));
}

void socket_scan_netlink(struct socket_scan *s)
{
	struct netlink_scan n = {s,
				 {.what = "the tables of netlink sockets",
				  .families = 1 << KAF_NETLINK,
				  .node = F(netlink_sock, node)}};
	struct kernel *k = s->w->k;
	uint64_t table, size = k_sizeof(k, "netlink_table");

	if (!k_has_symbol(k, S(nl_table)) || !k_has(k, F(netlink_sock, node)) || size == 0) {
		say_unknown(s, n.t.what);
		return;
	}
	if (!k_ptr(k, k->symbol[S(nl_table)], &table) || !k_plausible(k, table)) {
		walk_problem(s->w, ERROR, TABLE_sockets, 0, k->symbol[S(nl_table)],
			     "%s can't be read", n.t.what);
		return;
	}
	for (uint64_t i = 0; i < NETLINK_TABLES; i++) {
		uint64_t hash = k_field_va(k, table + i * size, F(netlink_table, hash));
		enum iter_end end = rhash_scan(k, hash, s->budget, visit_netlink, &n);
		walk_check_end(s->w, TABLE_sockets, 0, hash, end, n.t.what);
	}
	socket_table_end(s, &n.t);
}
