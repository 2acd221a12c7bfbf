// SPDX-License-Identifier: LGPL-2.1-or-later
// interface_details: one row a net_device, as `ip -s -d link` and /sys/class/net show it.
#include "src/walk/net.h"

#include "src/walk/net_devices.h"
#include "src/walk/net_stats.h"
#include "src/walk/net_text.h"

#include <string.h>

enum {
	MAX_ADDR_LEN = 32, // include/linux/netdevice.h
	NAME_MAX_LEN = 64,
	MAX_PARENTS = 8,
};

// include/uapi/linux/if.h
enum {
	IFF_RUNNING = 1 << 6,
	IFF_PROMISC = 1 << 8,
	IFF_ALLMULTI = 1 << 9,
	IF_OPER_UNKNOWN = 0,
	IF_OPER_DOWN = 2,
	IF_OPER_UP = 6,
};

// enum netdev_state_t, include/linux/netdevice.h; the same since 2.6.32
enum { LINK_START = 1 << 0 };

struct context {
	struct walk *w;
	struct netdevs devs;
	struct net_drivers *drivers;
};

// netif_get_flags() of net/core/dev.c (dev_get_flags() before 6.17), cut to what SIOCGIFFLAGS has
// room for.
static struct opt_int flags_of(struct walk *w, uint64_t dev)
{
	uint64_t flags, gflags, state, operstate;
	struct kernel *k = w->k;

	if (!k_get(k, dev, F(net_device, flags), &flags) ||
	    !k_get(k, dev, F(net_device, gflags), &gflags) ||
	    !k_get(k, dev, F(net_device, state), &state) ||
	    !k_get(k, dev, F(net_device, operstate), &operstate))
		return (struct opt_int){0};
	flags &= ~(uint64_t)(IFF_PROMISC | IFF_ALLMULTI | IFF_RUNNING);
	flags |= gflags & (IFF_PROMISC | IFF_ALLMULTI);
	if (state & LINK_START && (operstate == IF_OPER_UP || operstate == IF_OPER_UNKNOWN))
		flags |= IFF_RUNNING;
	return some_int((int64_t)(flags & UINT16_MAX));
}

// operstate_show() of net/core/net-sysfs.c
static struct opt_text state_of(struct walk *w, uint64_t dev)
{
	static const char *const names[] = {"unknown", "notpresent", "down", "lowerlayerdown",
					    "testing", "dormant",    "up"};
	uint64_t state, operstate;

	if (!k_get(w->k, dev, F(net_device, state), &state) ||
	    !k_get(w->k, dev, F(net_device, operstate), &operstate))
		return (struct opt_text){0};
	if (!(state & LINK_START))
		operstate = IF_OPER_DOWN;
	return some_text(operstate < sizeof(names) / sizeof(names[0]) ? names[operstate] : NULL);
}

static struct opt_text mac_of(struct walk *w, uint64_t dev)
{
	uint64_t n, va;
	uint8_t bytes[MAX_ADDR_LEN];

	if (!k_get(w->k, dev, F(net_device, addr_len), &n) || n == 0 || n > MAX_ADDR_LEN ||
	    !k_get(w->k, dev, F(net_device, dev_addr), &va) || !k_read(w->k, va, bytes, n))
		return (struct opt_text){0};
	return mac_text(w, bytes, n);
}

// A short name behind a pointer, or NULL.
static const char *name_behind(struct walk *w, uint64_t base, enum field f)
{
	uint64_t va = k_or0(w->k, base, f);

	return va ? k_string(w->k, &w->row, va, NAME_MAX_LEN) : NULL;
}

// A virtio device sits on a PCI device, so it may be a parent of the parent.
static const char *pci_slot_of(struct walk *w, uint64_t parent)
{
	for (int i = 0; parent && i < MAX_PARENTS; i++) {
		const char *bus =
			name_behind(w, k_or0(w->k, parent, F(device, bus)), F(bus_type, name));
		if (bus && strcmp(bus, "pci") == 0)
			return name_behind(w, parent, F(device, kobj_name));
		parent = k_or0(w->k, parent, F(device, parent));
	}
	return NULL;
}

static bool counters_of(const struct context *c, const struct stats_of *of, struct counters *out)
{
	const char *why;

	if (stats_generic(c->w, of, out) || stats_of_driver(c->w, c->drivers, of, out, &why))
		return true;
	walk_problem(c->w, NOTE, TABLE_interface_details, 0, of->dev->addr,
		     "the counters of device %s are unknown: %s", of->dev->name, why);
	return false;
}

static void counter_columns(const struct context *c, const struct stats_of *of,
			    struct row_interface_details *row)
{
	struct counters n;
	struct opt_int *const columns[N_COUNTERS] = {
		[RX_PACKETS] = &row->ipackets,	 [TX_PACKETS] = &row->opackets,
		[RX_BYTES] = &row->ibytes,	 [TX_BYTES] = &row->obytes,
		[RX_ERRORS] = &row->ierrors,	 [TX_ERRORS] = &row->oerrors,
		[RX_DROPPED] = &row->idrops,	 [TX_DROPPED] = &row->odrops,
		[COLLISIONS] = &row->collisions,
	};

	if (!counters_of(c, of, &n))
		return;
	for (size_t i = 0; i < N_COUNTERS; i++)
		*columns[i] = some_int((int64_t)n.v[i]);
	row->stats_source = some_text(n.source);
}

static void emit_device(const struct context *c, const struct netdev *dev)
{
	struct walk *w = c->w;
	uint64_t parent = k_or0(w->k, dev->addr, F(net_device, parent));
	struct stats_of of = {
		.dev = dev,
		.kind = name_behind(w, k_or0(w->k, dev->addr, F(net_device, rtnl_link_ops)),
				    F(rtnl_link_ops, kind)),
		.driver = name_behind(w, k_or0(w->k, parent, F(device, driver)),
				      F(device_driver, name)),
		.type = k_or0(w->k, dev->addr, F(net_device, type)),
	};
	struct row_interface_details row = {
		.interface = some_text(dev->name),
		.mac = mac_of(w, dev->addr),
		.type = col_int(w, dev->addr, F(net_device, type)),
		.mtu = col_int(w, dev->addr, F(net_device, mtu)),
		.metric = some_int(0),
		.flags = flags_of(w, dev->addr),
		.last_change = some_int(-1),
		.link_speed = speed_of_driver(w, c->drivers, &of),
		.pci_slot = some_text(pci_slot_of(w, parent)),
		.net_namespace = netns_text(w, &c->devs.nets, dev->net),
		.ifindex = col_int(w, dev->addr, F(net_device, ifindex)),
		.state = state_of(w, dev->addr),
		.kind = some_text(of.kind),
		.driver = some_text(of.driver),
		.device_addr = some_addr(dev->addr),
	};

	counter_columns(c, &of, &row);
	WALK_EMIT(w, interface_details, &row);
}

static void run(struct walk *w)
{
	struct context c = {.w = w, .drivers = net_drivers_new()};
	const struct netdev *dev;

	netdevs_find(w, TABLE_interface_details, &c.devs);
	vec_foreach (dev, &c.devs.all) {
		emit_device(&c, dev);
	}
	net_drivers_free(c.drivers);
	netdevs_fini(&c.devs);
}

const struct extractor walk_net_device = {
	.name = "net_device",
	.tables = {TABLE_interface_details},
	.n_tables = 1,
	.needs = {F(net, dev_base_head), F(net, list), F(net_device, dev_list), F(net_device, name),
		  F(net_device, ifindex)},
	.n_needs = 5,
	.run = run,
};
