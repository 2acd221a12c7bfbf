// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks net.dev_base_head of each namespace.
#include "src/walk/net_devices.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 1 << 16 };

static void add_device(struct walk *w, struct netdevs *d, uint64_t net, uint64_t addr)
{
	struct netdev *dev = vec_add(&d->all);
	size_t n;

	*dev = (struct netdev){
		.addr = addr,
		.net = net,
		.ifindex = (int64_t)k_or0(w->k, addr, F(net_device, ifindex)),
	};
	n = k_bytes(w->k, addr, F(net_device, name), dev->name, IFNAMSIZ_BYTES);
	dev->name[n] = '\0';
}

static int by_ifindex(const void *a, const void *b)
{
	const struct netdev *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void add_namespace(struct walk *w, enum table_id table, struct netdevs *d, uint64_t net)
{
	struct list_iter it;
	uint64_t node = 0;
	size_t first = d->all.n;

	list_begin(&it, w->k, k_field_va(w->k, net, F(net, dev_base_head)), MAX_DEVICES - first);
	while (list_next(&it, &node))
		add_device(w, d, net, k_container(w->k, node, F(net_device, dev_list)));
	walk_check_end(w, table, 0, net, it.end, "the list of network devices");
	if (d->all.n > first)
		qsort(d->all.at + first, d->all.n - first, sizeof(*d->all.at), by_ifindex);
}

// An index is unique in its namespace, which goes by its place in the set.
static uint64_t index_key(uint64_t netns, int64_t ifindex)
{
	return netns << 32 | (uint32_t)ifindex;
}

void netdevs_find(struct walk *w, enum table_id table, struct netdevs *out)
{
	netns_find(w, table, &out->nets);
	for (size_t i = 0; i < out->nets.all.n; i++) {
		size_t first = out->all.n;
		add_namespace(w, table, out, out->nets.all.at[i].addr);
		for (size_t j = first; j < out->all.n; j++) {
			(void)u64map_add(&out->by_index, index_key(i, out->all.at[j].ifindex), j);
			(void)u64map_add(&out->by_addr, out->all.at[j].addr, j);
		}
	}
}

void netdevs_fini(struct netdevs *d)
{
	netns_fini(&d->nets);
	vec_fini(&d->all);
	u64map_fini(&d->by_index);
	u64map_fini(&d->by_addr);
}

const struct netdev *netdevs_by_index(const struct netdevs *d, uint64_t net, int64_t ifindex)
{
	const uint64_t *netns = u64map_get(&d->nets.by_addr, net);
	const uint64_t *i = netns ? u64map_get(&d->by_index, index_key(*netns, ifindex)) : NULL;

	return i ? &d->all.at[*i] : NULL;
}

const struct netdev *netdevs_by_addr(const struct netdevs *d, uint64_t addr)
{
	const uint64_t *i = u64map_get(&d->by_addr, addr);

	return i ? &d->all.at[*i] : NULL;
}
