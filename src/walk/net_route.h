// SPDX-License-Identifier: LGPL-2.1-or-later
// What both tables of routes have in common; private to net_route*.c.
#ifndef VMI_WALK_NET_ROUTE_H
#define VMI_WALK_NET_ROUTE_H

#include "src/walk/net_devices.h"
#include "src/walk/net_text.h"

struct routes {
	struct walk *w;
	struct netdevs devs;
	const struct netns *net; // the namespace under way
	uint64_t budget;	 // tables, nodes, routes and next hops that may still come
	struct u64map tables;	 // that were walked
	uint64_t slots;		 // places for children that may still be looked at
};

// One route, and where its next hops are.
struct route {
	struct row_routes row; // without what is a next hop's own
	uint64_t family;
	uint64_t kind;	  // RTN_*
	uint64_t metrics; // struct dst_metrics, or 0
	uint64_t nexthop; // struct nexthop, or 0
	uint64_t hops;	  // the first of the route's own
	uint64_t n_hops, hop_size;
};

// Rows for all next hops of the route.
void route_emit(struct routes *r, struct route *route);

// False when all that can be true has been seen: the table is then partial. From then on nothing
// more is walked.
bool route_spend(struct routes *r, uint64_t addr);

// Walks the list of tables in each bucket of a hash of tables; each table once.
void route_each_table(struct routes *r, uint64_t buckets, size_t n, enum field node,
		      void (*visit)(struct routes *r, uint64_t table));

void route_walk_inet(struct routes *r);	 // net_route_inet.c
void route_walk_inet6(struct routes *r); // net_route_inet6.c

#endif
