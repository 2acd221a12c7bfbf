// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables of sockets. Every protocol (struct proto) is on one list and points to its table; the
// kernel's own rtnetlink socket, which each network namespace has, leads to that list.
#include "src/kernel/deduce.h"

#include "src/kernel/iter.h"

#include <string.h>

enum {
	MAX_PROTOCOLS = 4096,
	MAX_CHAIN = 1 << 16,
	MAX_BUCKETS = 1 << 24,
	LAST_LINK = 31,
	NAME_LEN = 33
};

static uint64_t init_net(struct kernel *k)
{
	return k_or0(k, k_or0(k, k->init_task, F(task_struct, nsproxy)), F(nsproxy, net_ns));
}

static void see_protocol(struct deduction *d, uint64_t proto)
{
	static const struct {
		const char *name;
		enum symbol s;
	} tables[] = {
		{"TCP", S(tcp_hashinfo)},	{"UDP", S(udp_table)},
		{"UDP-Lite", S(udplite_table)}, {"RAW", S(raw_v4_hashinfo)},
		{"RAWv6", S(raw_v6_hashinfo)},
	};
	char name[NAME_LEN];
	size_t n = k_bytes(d->k, proto, F(proto, name), name, NAME_LEN - 1);
	uint64_t table = k_or0(d->k, proto, F(proto, tables));

	name[n] = '\0';
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (table && strcmp(name, tables[i].name) == 0)
			deduce_set(d, tables[i].s, table);
	if (strcmp(name, "PING") == 0)
		d->ping_proto = proto;
	if (strcmp(name, "PINGv6") == 0)
		d->pingv6_proto = proto;
	if (strcmp(name, "UNIX") == 0)
		d->unix_proto = proto;
}

// Where the chain of the rtnetlink socket begins, which is inside of NETLINK_ROUTE's table: its end
// is a marker made of that address (RHT_NULLS_MARKER, include/linux/rhashtable.h).
static uint64_t bucket_of(struct kernel *k, uint64_t rtnl)
{
	uint64_t at = k_field_va(k, rtnl, F(netlink_sock, node));

	for (size_t i = 0; i < MAX_CHAIN && at && !(at & 1); i++)
		if (!k_get(k, at, F(rhash_head, next), &at))
			return 0;
	return at & 1 ? at - 1 : 0;
}

void deduce_protocols(struct deduction *d)
{
	struct kernel *k = d->k;
	uint64_t rtnl = k_or0(k, init_net(k), F(net, rtnl)), node;
	uint64_t netlink = k_or0(k, rtnl, F(sock_common, skc_prot));
	struct list_iter it;

	if (!netlink || !k_has(k, F(proto, node)))
		return;
	d->netlink_bucket = bucket_of(k, rtnl);
	see_protocol(d, netlink);
	list_begin(&it, k, k_field_va(k, netlink, F(proto, node)), MAX_PROTOCOLS);
	while (list_next(&it, &node)) // one of them is the list's head, which has no such name
		see_protocol(d, k_container(k, node, F(proto, node)));
}

static uint64_t table_of(struct kernel *k, uint64_t nl_table, uint64_t i)
{
	uint64_t table = nl_table + i * k_sizeof(k, "netlink_table");

	return k_or0(k, k_field_va(k, table, F(netlink_table, hash)), F(rhashtable, tbl));
}

static bool holds_bucket(struct kernel *k, uint64_t tbl, uint64_t bucket)
{
	uint64_t off = bucket - tbl - k->field[F(bucket_table, buckets)].off, size;

	return k_get(k, tbl, F(bucket_table, size), &size) && (size & (size - 1)) == 0 &&
	       size <= MAX_BUCKETS && off % 8 == 0 && off / 8 < size;
}

// nl_table points to an array, all of which is set up; its first element is NETLINK_ROUTE's.
void see_netlink_tables(struct deduction *d, const struct word *w)
{
	struct kernel *k = d->k;

	if (!w->part->writable || !deduce_is_direct(d, w->value) || w->value % 8 != 0 ||
	    k->symbol[S(nl_table)] || !d->netlink_bucket)
		return;
	uint64_t tbl = table_of(k, w->value, 0);
	if (tbl && tbl < d->netlink_bucket && holds_bucket(k, tbl, d->netlink_bucket) &&
	    k_plausible(k, table_of(k, w->value, 1)) &&
	    k_plausible(k, table_of(k, w->value, LAST_LINK)))
		deduce_set(d, S(nl_table), w->at);
}
