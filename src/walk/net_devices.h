// SPDX-License-Identifier: LGPL-2.1-or-later
// Every network device of every network namespace, found once for the extractor that asks.
#ifndef VMI_WALK_NET_DEVICES_H
#define VMI_WALK_NET_DEVICES_H

#include "src/walk/net_namespaces.h"

enum { IFNAMSIZ_BYTES = 16 };

struct netdev {
	uint64_t addr, net; // struct net_device, struct net
	int64_t ifindex;
	char name[IFNAMSIZ_BYTES + 1];
};

// Zero-initialised is empty.
struct netdevs {
	struct netns_set nets;
	VEC(struct netdev) all; // by namespace in their order, then by ifindex
	struct u64map by_index, by_addr;
};

// Finds all; what can't be read is reported for the table.
void netdevs_find(struct walk *w, enum table_id table, struct netdevs *out);
void netdevs_fini(struct netdevs *d);

// The device of this index in a namespace, or NULL.
const struct netdev *netdevs_by_index(const struct netdevs *d, uint64_t net, int64_t ifindex);
// The device at this address, or NULL.
const struct netdev *netdevs_by_addr(const struct netdevs *d, uint64_t addr);

#endif
