/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Routes and neighbours: plain ones, and those that not every kernel is built for. */
#define _GNU_SOURCE
#include "guest.h"
#include "netlink.h"
#include "network.h"

#include <linux/neighbour.h>
#include <string.h>

static void add_host(struct request *r, int attribute, const char *host)
{
	uint8_t bytes[16];
	int family;
	size_t length = network_host(host, &family, bytes);

	rtnl_attr(r, attribute, bytes, length);
}

static int neighbour_send(const char *name, const char *address, const char *mac, uint16_t state)
{
	struct request r;
	struct ndmsg *n = rtnl_start(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*n));

	n->ndm_family = network_family(address);
	n->ndm_ifindex = (int)network_index(name);
	n->ndm_state = state;
	add_host(&r, NDA_DST, address);
	if (mac != NULL)
		network_mac(&r, NDA_LLADDR, mac);
	return rtnl_send(&r);
}

void neighbour_add(const char *name, const char *address, const char *mac)
{
	if (neighbour_send(name, address, mac, NUD_PERMANENT) != 0)
		die("cannot add neighbour %s", address);
}

void neighbour_add_stale(const char *name, const char *address, const char *mac)
{
	if (neighbour_send(name, address, mac, NUD_STALE) != 0)
		die("cannot add neighbour %s", address);
}

static void add_metrics(struct request *r, uint32_t mtu)
{
	struct rtattr *metrics;

	if (mtu == 0)
		return;
	metrics = rtnl_nest(r, RTA_METRICS);
	rtnl_u32(r, RTAX_MTU, mtu);
	rtnl_u32(r, RTAX_HOPLIMIT, 33);
	rtnl_nest_end(r, metrics);
}

/* struct rtnexthop, and a gateway as its only attribute. */
static void add_hop(struct request *r, const char *name, const char *gateway, uint8_t hops)
{
	struct rtnexthop *hop = (struct rtnexthop *)(r->room + r->header.nlmsg_len);

	memset(hop, 0, sizeof(*hop));
	hop->rtnh_hops = hops;
	hop->rtnh_ifindex = (int)network_index(name);
	r->header.nlmsg_len += sizeof(*hop);
	add_host(r, RTA_GATEWAY, gateway);
	hop->rtnh_len = (uint16_t)(r->room + r->header.nlmsg_len - (char *)hop);
}

static void add_hops(struct request *r, const struct route *route)
{
	struct rtattr *hops = rtnl_nest(r, RTA_MULTIPATH);

	add_hop(r, route->device, route->gateway, 0);
	add_hop(r, route->device, route->second_gateway, 4);
	rtnl_nest_end(r, hops);
}

static void add_way(struct request *r, const struct route *route)
{
	if (route->second_gateway != NULL) {
		add_hops(r, route);
		return;
	}
	if (route->gateway != NULL)
		add_host(r, RTA_GATEWAY, route->gateway);
	if (route->device != NULL)
		rtnl_u32(r, RTA_OIF, network_index(route->device));
}

int route_try(const struct route *route)
{
	struct request r;
	struct rtmsg *m = rtnl_start(&r, RTM_NEWROUTE, NLM_F_CREATE, sizeof(*m));

	m->rtm_family = network_family(route->destination);
	m->rtm_dst_len = route->prefix;
	m->rtm_table = RT_TABLE_UNSPEC;
	m->rtm_protocol = RTPROT_STATIC;
	m->rtm_type = route->type != 0 ? route->type : RTN_UNICAST;
	rtnl_u32(&r, RTA_TABLE, route->table != 0 ? route->table : RT_TABLE_MAIN);
	if (route->prefix > 0)
		add_host(&r, RTA_DST, route->destination);
	if (route->metric != 0)
		rtnl_u32(&r, RTA_PRIORITY, route->metric);
	if (route->source != NULL)
		add_host(&r, RTA_PREFSRC, route->source);
	add_metrics(&r, route->mtu);
	add_way(&r, route);
	return rtnl_send(&r);
}

void route_add(const char *name, const char *destination, uint8_t prefix, const char *gateway)
{
	struct route route = {
		.device = name, .destination = destination, .prefix = prefix, .gateway = gateway};

	if (route_try(&route) != 0)
		die("cannot add route %s", destination);
}

void make_routes(void)
{
	static const struct route routes[] = {
		{.destination = "198.51.100.0",
		 .prefix = 24,
		 .gateway = "10.0.2.9",
		 .device = "eth0",
		 .metric = 77,
		 .mtu = 1280,
		 .source = "10.0.2.16"},
		{.destination = "198.51.100.128",
		 .prefix = 25,
		 .gateway = "10.0.2.8",
		 .device = "eth0"},
		{.destination = "203.0.113.0", .prefix = 24, .type = RTN_BLACKHOLE},
		{.destination = "203.0.113.64", .prefix = 26, .type = RTN_UNREACHABLE, .metric = 5},
		{.destination = "203.0.113.7", .prefix = 32, .type = RTN_PROHIBIT},
		{.destination = "198.18.0.0",
		 .prefix = 15,
		 .gateway = "10.9.8.1",
		 .device = "dummy0",
		 .table = 100},
		{.destination = "198.19.0.0",
		 .prefix = 16,
		 .gateway = "10.0.2.3",
		 .device = "eth0",
		 .table = 70000},
		{.destination = "192.0.2.0",
		 .prefix = 25,
		 .gateway = "10.0.2.4",
		 .second_gateway = "10.0.2.5",
		 .device = "eth0"},
		{.destination = "2001:db8:aaaa::",
		 .prefix = 48,
		 .gateway = "2001:db8:2::9",
		 .device = "eth0",
		 .metric = 50,
		 .mtu = 1400},
		{.destination = "2001:db8:bbbb::",
		 .prefix = 48,
		 .type = RTN_UNREACHABLE,
		 .device = "lo"},
		{.destination = "2001:db8:cccc::",
		 .prefix = 64,
		 .gateway = "fd00:9::1",
		 .device = "dummy0",
		 .table = 100},
		{.destination = "::", .prefix = 0, .gateway = "2001:db8:2::1", .device = "eth0"},
	};

	/* What a kernel is not built for (tables, several gateways) is not there. */
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		(void)route_try(&routes[i]);
}
