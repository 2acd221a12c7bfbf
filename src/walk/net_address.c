// SPDX-License-Identifier: LGPL-2.1-or-later
// interface_addresses: in_device.ifa_list and inet6_dev.addr_list of every device, in their order,
// which is that of `ip address`.
#include "src/walk/net.h"

#include "src/walk/net_devices.h"
#include "src/walk/net_text.h"

#include <inttypes.h>

enum { MAX_ADDRESSES = 1 << 20 };

// include/uapi/linux/if_addr.h
enum {
	IFA_F_TEMPORARY = 0x01,
	IFA_F_PERMANENT = 0x80,
	IFAPROT_KERNEL_RA = 2, // from a router advertisement
	IFAPROT_KERNEL_LL = 3, // the link-local address that the kernel makes
};

// include/uapi/linux/rtnetlink.h
enum {
	RT_SCOPE_UNIVERSE = 0,
	RT_SCOPE_SITE = 200,
	RT_SCOPE_LINK = 253,
	RT_SCOPE_HOST = 254,
	RT_SCOPE_NOWHERE = 255,
};

// inet6_ifaddr.scope: IPV6_ADDR_* of include/net/ipv6.h
enum { IPV6_LOOPBACK = 0x10, IPV6_LINKLOCAL = 0x20, IPV6_SITELOCAL = 0x40 };

struct context {
	struct walk *w;
	struct netdevs devs;
	uint64_t budget; // addresses that may still come, of all devices together
};

static struct opt_text scope_text(struct walk *w, uint64_t scope)
{
	switch (scope) {
	case RT_SCOPE_UNIVERSE:
		return some_text("global");
	case RT_SCOPE_SITE:
		return some_text("site");
	case RT_SCOPE_LINK:
		return some_text("link");
	case RT_SCOPE_HOST:
		return some_text("host");
	case RT_SCOPE_NOWHERE:
		return some_text("nowhere");
	default:
		return row_printf(w, "%" PRIu64, scope);
	}
}

static struct row_interface_addresses common_columns(const struct context *c,
						     const struct netdev *dev)
{
	return (struct row_interface_addresses){
		.interface = some_text(dev->name),
		.net_namespace = netns_text(c->w, &c->devs.nets, dev->net),
		.device_addr = some_addr(dev->addr),
	};
}

// --- IPv4 ---

static void emit_inet(const struct context *c, const struct netdev *dev, uint64_t ifa)
{
	struct walk *w = c->w;
	struct kernel *k = w->k;
	struct row_interface_addresses row = common_columns(c, dev);
	uint64_t local = k_or0(k, ifa, F(in_ifaddr, ifa_local)), other, flags, scope;

	row.address = ip_col(w, KAF_INET, ifa, F(in_ifaddr, ifa_local));
	row.mask = ip_col(w, KAF_INET, ifa, F(in_ifaddr, ifa_mask));
	row.prefix_length = col_int(w, ifa, F(in_ifaddr, ifa_prefixlen));
	row.label = col_text(w, ifa, F(in_ifaddr, ifa_label));
	if (k_or0(k, ifa, F(in_ifaddr, ifa_broadcast)))
		row.broadcast = ip_col(w, KAF_INET, ifa, F(in_ifaddr, ifa_broadcast));
	if (k_get(k, ifa, F(in_ifaddr, ifa_address), &other) && other != local)
		row.point_to_point = ip_col(w, KAF_INET, ifa, F(in_ifaddr, ifa_address));
	if (k_get(k, ifa, F(in_ifaddr, ifa_flags), &flags))
		row.type = some_text(flags & IFA_F_PERMANENT ? "manual" : "dhcp");
	if (k_get(k, ifa, F(in_ifaddr, ifa_scope), &scope))
		row.scope = scope_text(w, scope);
	WALK_EMIT(w, interface_addresses, &row);
}

static void walk_inet(struct context *c, const struct netdev *dev)
{
	struct kernel *k = c->w->k;
	uint64_t ifa, in_dev = k_or0(k, dev->addr, F(net_device, ip_ptr));
	struct chain_iter it;

	if (!in_dev)
		return;
	chain_begin(&it, k, k_or0(k, in_dev, F(in_device, ifa_list)),
		    k->field[F(in_ifaddr, ifa_next)].off, c->budget);
	while (chain_next(&it, &ifa)) {
		emit_inet(c, dev, ifa);
		c->budget--;
	}
	walk_check_end(c->w, TABLE_interface_addresses, 0, in_dev, it.end,
		       "the list of IPv4 addresses of a device");
}

// --- IPv6 ---

// rt_scope() of net/ipv6/addrconf.c
static uint64_t rt_scope(uint64_t scope)
{
	if (scope & IPV6_LOOPBACK)
		return RT_SCOPE_HOST;
	if (scope & IPV6_LINKLOCAL)
		return RT_SCOPE_LINK;
	return scope & IPV6_SITELOCAL ? RT_SCOPE_SITE : RT_SCOPE_UNIVERSE;
}

// Addresses with a lifetime come from a router, or are those of DHCPv6 clients, which set /128.
// Permanent link-local ones are the kernel's own making, unless it says otherwise.
static const char *inet6_type(struct walk *w, uint64_t ifa)
{
	uint64_t flags, scope, proto;
	struct kernel *k = w->k;

	if (!k_get(k, ifa, F(inet6_ifaddr, flags), &flags) ||
	    !k_get(k, ifa, F(inet6_ifaddr, scope), &scope))
		return NULL;
	if (k_get(k, ifa, F(inet6_ifaddr, ifa_proto), &proto) &&
	    (proto == IFAPROT_KERNEL_RA || proto == IFAPROT_KERNEL_LL))
		return "auto";
	if (flags & IFA_F_PERMANENT)
		return scope & IPV6_LINKLOCAL && !k_has(k, F(inet6_ifaddr, ifa_proto)) ? "auto"
										       : "manual";
	if (!(flags & IFA_F_TEMPORARY) && k_or0(k, ifa, F(inet6_ifaddr, prefix_len)) == 128)
		return "dhcp";
	return "auto";
}

static bool is_any(struct walk *w, uint64_t ifa, enum field f)
{
	uint8_t bytes[16], any = 0;

	if (k_bytes(w->k, ifa, f, bytes, sizeof(bytes)) != sizeof(bytes))
		return true;
	for (size_t i = 0; i < sizeof(bytes); i++)
		any |= bytes[i];
	return any == 0;
}

static void emit_inet6(const struct context *c, const struct netdev *dev, uint64_t ifa)
{
	struct walk *w = c->w;
	struct row_interface_addresses row = common_columns(c, dev);
	uint64_t scope, length;

	row.address = ip_col(w, KAF_INET6, ifa, F(inet6_ifaddr, addr));
	row.prefix_length = col_int(w, ifa, F(inet6_ifaddr, prefix_len));
	row.type = some_text(inet6_type(w, ifa));
	if (k_get(w->k, ifa, F(inet6_ifaddr, prefix_len), &length))
		row.mask = ip_mask(w, KAF_INET6, length);
	if (!is_any(w, ifa, F(inet6_ifaddr, peer_addr)))
		row.point_to_point = ip_col(w, KAF_INET6, ifa, F(inet6_ifaddr, peer_addr));
	if (k_get(w->k, ifa, F(inet6_ifaddr, scope), &scope))
		row.scope = scope_text(w, rt_scope(scope));
	WALK_EMIT(w, interface_addresses, &row);
}

static void walk_inet6(struct context *c, const struct netdev *dev)
{
	struct kernel *k = c->w->k;
	uint64_t node, idev = k_or0(k, dev->addr, F(net_device, ip6_ptr));
	struct list_iter it;

	if (!idev)
		return;
	list_begin(&it, k, k_field_va(k, idev, F(inet6_dev, addr_list)), c->budget);
	while (list_next(&it, &node)) {
		emit_inet6(c, dev, k_container(k, node, F(inet6_ifaddr, if_list)));
		c->budget--;
	}
	walk_check_end(c->w, TABLE_interface_addresses, 0, idev, it.end,
		       "the list of IPv6 addresses of a device");
}

static void run(struct walk *w)
{
	struct context c = {.w = w, .budget = MAX_ADDRESSES};
	const struct netdev *dev;

	netdevs_find(w, TABLE_interface_addresses, &c.devs);
	vec_foreach (dev, &c.devs.all) {
		walk_inet(&c, dev);
		walk_inet6(&c, dev);
	}
	netdevs_fini(&c.devs);
}

const struct extractor walk_net_address = {
	.name = "net_address",
	.tables = {TABLE_interface_addresses},
	.n_tables = 1,
	.needs = {F(net, dev_base_head), F(net, list), F(net_device, dev_list),
		  F(net_device, ip_ptr), F(in_device, ifa_list), F(in_ifaddr, ifa_next),
		  F(in_ifaddr, ifa_local)},
	.n_needs = 7,
	.run = run,
};
