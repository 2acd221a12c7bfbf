// SPDX-License-Identifier: LGPL-2.1-or-later
// routes: of both protocols, in each network namespace; what they have in common, and next hops.
#include "src/walk/net_route.h"

#include "src/walk/net.h"

enum {
	MAX_ROUTES = 1 << 22,
	MAX_SLOTS = 1 << 24,
	MAX_TABLES = 1 << 16, // in a bucket
	MAX_HOPS = 1 << 10,   // of one route
	RTNH_F_PERVASIVE = 2, // of the kernel alone
	RTAX_MTU = 2,
	RTAX_HOPLIMIT = 10,
};

// include/uapi/linux/rtnetlink.h, RTN_*
static const char *const kinds[] = {
	"unspec",    "unicast",	    "local",	"broadcast", "anycast", "multicast",
	"blackhole", "unreachable", "prohibit", "throw",     "nat",	"xresolve",
};
enum { RTN_UNICAST = 1, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST };

static const char *osquery_type(uint64_t kind)
{
	if (kind == RTN_UNICAST)
		return "gateway";
	return kind >= RTN_LOCAL && kind <= RTN_ANYCAST ? kinds[kind] : "other";
}

bool route_spend(struct routes *r, uint64_t addr)
{
	if (r->budget == 1)
		walk_problem(r->w, ERROR, TABLE_routes, 0, addr,
			     "more routes than can be true; the rest is left out");
	if (walk_is_full(r->w, TABLE_routes))
		r->budget = 0;
	if (r->budget == 0)
		return false;
	return --r->budget > 0;
}

// dst_metrics.metrics counts from 1; 0 is not set.
static struct opt_int metric(struct routes *r, uint64_t metrics, unsigned which)
{
	uint64_t v;

	if (!metrics || !k_get_at(r->w->k, metrics, F(dst_metrics, metrics), which - 1, &v) ||
	    v == 0)
		return (struct opt_int){0};
	return some_int((int64_t)v);
}

// --- next hops ---

static struct opt_text gateway(struct routes *r, uint64_t nhc)
{
	uint64_t family = k_or0(r->w->k, nhc, F(fib_nh_common, nhc_gw_family));

	if (family != KAF_INET && family != KAF_INET6)
		return (struct opt_text){0};
	return ip_col(r->w, family, nhc, F(fib_nh_common, nhc_gw));
}

static void emit_hop(struct routes *r, const struct route *route, uint64_t nhc)
{
	struct row_routes row = route->row;
	uint64_t dev = k_or0(r->w->k, nhc, F(fib_nh_common, nhc_dev)), flags = 0;
	const struct netdev *known = netdevs_by_addr(&r->devs, dev);

	row.gateway = gateway(r, nhc);
	row.device_addr = col_ptr(dev);
	if (known)
		row.interface = some_text(known->name);
	if (k_get(r->w->k, nhc, F(fib_nh_common, nhc_flags), &flags))
		row.flags.v |= (int64_t)flags & ~RTNH_F_PERVASIVE;
	walk_emit_keeping(r->w, TABLE_routes, &row);
}

// Next hops may be objects of their own: one, or a group of them.
static void emit_nexthop(struct routes *r, const struct route *route, uint64_t nexthop)
{
	struct kernel *k = r->w->k;
	uint64_t info = k_or0(k, nexthop, F(nexthop, nh_info));

	emit_hop(r, route, k_field_va(k, info, F(nh_info, fib_nhc)));
}

static void emit_group(struct routes *r, const struct route *route, uint64_t group)
{
	struct kernel *k = r->w->k;
	uint64_t n = k_or0(k, group, F(nh_group, num_nh));
	uint64_t entry = k_field_va(k, group, F(nh_group, nh_entries));

	for (uint64_t i = 0; i < n && i < MAX_HOPS && route_spend(r, group); i++)
		emit_nexthop(
			r, route,
			k_or0(k, entry + i * k_sizeof(k, "nh_grp_entry"), F(nh_grp_entry, nh)));
}

static void emit_own_hops(struct routes *r, const struct route *route)
{
	if (route->n_hops > MAX_HOPS)
		walk_problem(r->w, ERROR, TABLE_routes, 0, route->row.route_addr.v,
			     "a route has more next hops than can be true");
	for (uint64_t i = 0;
	     i < route->n_hops && i < MAX_HOPS && route_spend(r, route->row.route_addr.v); i++)
		emit_hop(r, route, route->hops + i * route->hop_size);
}

void route_emit(struct routes *r, struct route *route)
{
	struct kernel *k = r->w->k;
	struct row_routes *row = &route->row;
	bool known = route->kind < sizeof(kinds) / sizeof(kinds[0]);

	row->type = some_text(osquery_type(route->kind));
	row->kind = known ? some_text(kinds[route->kind])
			  : row_printf(r->w, "%u", (unsigned)route->kind);
	row->family = some_int((int64_t)route->family);
	row->mtu = metric(r, route->metrics, RTAX_MTU);
	row->hopcount = metric(r, route->metrics, RTAX_HOPLIMIT);
	row->net_namespace = netns_text(r->w, &r->devs.nets, r->net->addr);
	if (!route->nexthop)
		emit_own_hops(r, route);
	else if (k_or0(k, route->nexthop, F(nexthop, is_group)))
		emit_group(r, route, k_or0(k, route->nexthop, F(nexthop, nh_grp)));
	else
		emit_nexthop(r, route, route->nexthop);
	arena_reset(&r->w->row);
}

// --- tables ---

typedef void visit_table(struct routes *r, uint64_t table);

static void visit_once(struct routes *r, uint64_t table, visit_table *visit)
{
	if (u64map_add(&r->tables, table, 0))
		visit(r, table);
}

void route_each_table(struct routes *r, uint64_t buckets, size_t n, enum field node,
		      visit_table *visit)
{
	struct kernel *k = r->w->k;
	uint64_t first, at;
	struct chain_iter it;

	for (size_t i = 0; i < n && buckets && r->budget; i++) {
		if (!k_ptr(k, buckets + i * k->word, &first) || !first)
			continue;
		chain_begin(&it, k, first, 0, MAX_TABLES);
		while (chain_next(&it, &at) && route_spend(r, at))
			visit_once(r, k_container(k, at, node), visit);
		if (it.end != ITER_MORE)
			walk_check_end(r->w, TABLE_routes, 0, first, it.end,
				       "a list of routing tables");
	}
}

static void run(struct walk *w)
{
	struct routes r = {.w = w, .budget = MAX_ROUTES, .slots = MAX_SLOTS};

	netdevs_find(w, TABLE_routes, &r.devs);
	vec_foreach (r.net, &r.devs.nets.all) {
		route_walk_inet(&r);
		route_walk_inet6(&r);
	}
	u64map_fini(&r.tables);
	netdevs_fini(&r.devs);
}

const struct extractor walk_net_route = {
	.name = "net_route",
	.tables = {TABLE_routes},
	.n_tables = 1,
	.needs = {F(net, dev_base_head), F(net, list), F(net_device, dev_list),
		  F(net, fib_table_hash), F(fib_table, tb_data), F(trie, kv), F(key_vector, tnode),
		  F(fib_alias, fa_info), F(fib_info, fib_nh), F(fib_nh, nh_common),
		  F(fib_nh_common, nhc_dev)},
	.n_needs = 11,
	.run = run,
};
