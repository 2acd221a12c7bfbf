// SPDX-License-Identifier: LGPL-2.1-or-later
// Routes of IPv6: net/ipv6/ip6_fib.c. A table is a binary tree of prefixes; a node that has routes
// has a list of them, those with several gateways one after the other.
#include "src/walk/net_route.h"

enum {
	BUCKETS = 256,	   // FIB6_TABLE_HASHSZ with IPV6_MULTIPLE_TABLES,
	BUCKETS_PLAIN = 1, // and without
	RTN_RTINFO = 0x0004,
	MAX_DEPTH = 3 * 129, // a node for each bit; a tree of sources may hang on each way
	MAX_ROUTES = 1 << 20,
};

static bool is_any(const uint8_t *address)
{
	uint8_t any = 0;

	for (size_t i = 0; i < 16; i++)
		any |= address[i];
	return any == 0;
}

static struct opt_text preferred_source(struct walk *w, uint64_t info)
{
	uint8_t address[16];

	if (!k_or0(w->k, info, F(fib6_info, prefsrc_plen)) ||
	    k_bytes(w->k, info, F(fib6_info, prefsrc_addr), address, 16) != 16 || is_any(address))
		return (struct opt_text){0};
	return ip_text(w, KAF_INET6, address);
}

static void emit_info(struct routes *r, uint64_t table_id, uint64_t info)
{
	struct walk *w = r->w;
	struct kernel *k = w->k;
	struct route route = {
		.family = KAF_INET6,
		.kind = k_or0(k, info, F(fib6_info, fib6_type)),
		.metrics = k_or0(k, info, F(fib6_info, fib6_metrics)),
		.nexthop = k_or0(k, info, F(fib6_info, nh)),
		.hops = k_field_va(k, info, F(fib6_info, fib6_nh)),
		.n_hops = 1,
	};

	route.row = (struct row_routes){
		.destination = ip_col(w, KAF_INET6, info, F(fib6_info, dst_addr)),
		.netmask = col_int(w, info, F(fib6_info, dst_plen)),
		.source = preferred_source(w, info),
		.flags = some_int(0),
		.metric = col_int(w, info, F(fib6_info, fib6_metric)),
		.table_id = some_int((int64_t)table_id),
		.protocol = col_int(w, info, F(fib6_info, fib6_protocol)),
		.route_addr = some_addr(info),
	};
	route_emit(r, &route);
}

static void walk_routes(struct routes *r, uint64_t table_id, uint64_t first)
{
	struct kernel *k = r->w->k;
	uint64_t none = k_or0(k, r->net->addr, F(net, fib6_null_entry)), info;
	struct chain_iter it;

	chain_begin(&it, k, first, k->field[F(fib6_info, fib6_next)].off, MAX_ROUTES);
	while (chain_next(&it, &info) && route_spend(r, info))
		if (info != none)
			emit_info(r, table_id, info);
	if (it.end != ITER_MORE)
		walk_check_end(r->w, TABLE_routes, 0, first, it.end, "the routes of a prefix");
}

static void walk_node(struct routes *r, uint64_t table_id, uint64_t node, unsigned depth)
{
	struct kernel *k = r->w->k;
	uint64_t leaf = k_or0(k, node, F(fib6_node, leaf));

	if (!node || !route_spend(r, node))
		return;
	if (depth > MAX_DEPTH) {
		walk_problem(r->w, ERROR, TABLE_routes, 0, node,
			     "a table of routes is deeper than addresses have bits");
		return;
	}
	if (leaf && k_or0(k, node, F(fib6_node, fn_flags)) & RTN_RTINFO)
		walk_routes(r, table_id, leaf);
	walk_node(r, table_id, k_or0(k, node, F(fib6_node, subtree)), depth + 1);
	walk_node(r, table_id, k_or0(k, node, F(fib6_node, left)), depth + 1);
	walk_node(r, table_id, k_or0(k, node, F(fib6_node, right)), depth + 1);
}

static void walk_table(struct routes *r, uint64_t table)
{
	struct kernel *k = r->w->k;

	walk_node(r, k_or0(k, table, F(fib6_table, tb6_id)),
		  k_field_va(k, table, F(fib6_table, tb6_root)), 0);
}

void route_walk_inet6(struct routes *r)
{
	struct kernel *k = r->w->k;
	size_t n = k_has(k, F(net, fib6_local_tbl)) ? BUCKETS : BUCKETS_PLAIN;

	if (!k_has(k, F(fib6_info, dst_addr)) || !k_has(k, F(fib6_table, tb6_root)))
		return;
	route_each_table(r, k_or0(k, r->net->addr, F(net, fib6_table_hash)), n,
			 F(fib6_table, tb6_hlist), walk_table);
}
