// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes guests for tests of devices and sockets.
#include "tests/unit/net_guest.h"

#include "src/base/bytes.h"
#include "src/base/mem.h"

#include <stdarg.h>
#include <string.h>

enum {
	FAR = 0x800,  // behind the fields that guest_struct() places
	ROOM = 0x400, // for the fields of one type
};

static const char *const types[] = {
	"net",
	"task_struct",
	"nsproxy",
	"inet_timewait_death_row",
	"net_device",
	"net_device_ops",
	"net_device_core_stats",
	"pcpu_lstats",
	"pcpu_sw_netstats",
	"pcpu_dstats",
	"rtnl_link_ops",
	"device",
	"bus_type",
	"device_driver",
	"in_device",
	"in_ifaddr",
	"inet6_dev",
	"inet6_ifaddr",
	"inode",
	"socket_alloc",
	"sock_common",
	"unix_address",
	"unix_skb_parms",
	"packet_sock",
	"netlink_sock",
	"sk_buff_head",
	"sk_buff",
};

// All of these start with a struct sock_common, and some with one another.
static const char *const socket_types[] = {
	"sock",	    "inet_sock", "inet_timewait_sock", "tcp_sock",
	"udp_sock", "unix_sock", "packet_sock",	       "netlink_sock",
};

static void place_apart(struct guest *g, const char *type, uint32_t off)
{
	size_t n = strlen(type);

	(void)guest_struct(g, type);
	for (size_t f = 0; f < FIELD_COUNT; f++) {
		const char *name = field_name((enum field)f);
		if (strncmp(name, type, n) == 0 && name[n] == '.')
			g->k.field[f].off += off;
	}
}

// Arrays and addresses that are more than 8 bytes, or fewer.
static void place_bytes(struct guest *g)
{
	guest_place(g, F(net_device, name), FAR, 16);
	guest_place(g, F(in_ifaddr, ifa_local), FAR, 4);
	guest_place(g, F(in_ifaddr, ifa_address), FAR + 4, 4);
	guest_place(g, F(in_ifaddr, ifa_mask), FAR + 8, 4);
	guest_place(g, F(in_ifaddr, ifa_broadcast), FAR + 12, 4);
	guest_place(g, F(in_ifaddr, ifa_label), FAR + 16, 16);
	guest_place(g, F(inet6_ifaddr, addr), FAR, 16);
	guest_place(g, F(inet6_ifaddr, peer_addr), FAR + 16, 16);
	guest_place(g, F(sock_common, skc_daddr), FAR, 4);
	guest_place(g, F(sock_common, skc_rcv_saddr), FAR + 4, 4);
	guest_place(g, F(sock_common, skc_v6_daddr), FAR + 16, 16);
	guest_place(g, F(sock_common, skc_v6_rcv_saddr), FAR + 32, 16);
	guest_place(g, F(sk_buff, cb), FAR, 48);
	guest_place(g, F(sk_buff, len), FAR + 64, 4); // its links come first
	guest_place(g, F(unix_address, name), FAR, 112);
	guest_place(g, F(sk_buff_head, qlen), 16, 4);
}

void net_guest_init(struct net_guest *n)
{
	n->g = guest_new(4);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		(void)guest_struct(n->g, types[i]);
	for (size_t i = 0; i < sizeof(socket_types) / sizeof(socket_types[0]); i++)
		place_apart(n->g, socket_types[i], 2 * FAR + (uint32_t)i * ROOM);
	place_bytes(n->g);
	row_log_init(&n->log);
	walk_init(&n->w, &n->g->k, &n->log.sink, n->log.wanted);
}

void net_guest_fini(struct net_guest *n)
{
	walk_fini(&n->w);
	row_log_fini(&n->log);
	mem_free(n->g->k.percpu_offset);
	guest_free(n->g);
}

uint64_t net_guest_netns(struct net_guest *n, uint64_t inum)
{
	uint64_t net = guest_alloc(n->g, 4096);

	net_set(n, net, F(net, ns_inum), inum);
	net_ring(n, net_field(n, net, F(net, dev_base_head)));
	return net;
}

void net_set(struct net_guest *n, uint64_t base, enum field f, uint64_t v)
{
	guest_set(n->g, base, f, v);
}

void net_set_bytes(struct net_guest *n, uint64_t base, enum field f, const void *bytes, size_t size)
{
	guest_put(n->g, guest_field(n->g, base, f), bytes, size);
}

uint64_t net_field(const struct net_guest *n, uint64_t base, enum field f)
{
	return guest_field(n->g, base, f);
}

void net_ring(struct net_guest *n, uint64_t head)
{
	put_links(n->g, head, head, head);
}

void net_ring_add(struct net_guest *n, uint64_t head, uint64_t node)
{
	uint64_t last = le64(n->g->bytes + guest_pa(n->g, head + 8));

	put_links(n->g, node, head, last);
	put_u64(n->g, last, node);
	put_u64(n->g, head + 8, node);
}

// --- rows ---

static bool is_value(const char *value, const char *want)
{
	return value && want ? strcmp(value, want) == 0 : value == want;
}

static bool row_has_all(const struct net_guest *n, enum table_id table, size_t i, va_list ap)
{
	for (const char *c = va_arg(ap, const char *); c; c = va_arg(ap, const char *))
		if (!is_value(row_log_value(&n->log, table, i, c), va_arg(ap, const char *)))
			return false;
	return true;
}

bool net_has_row(const struct net_guest *n, enum table_id table, ...)
{
	bool found = false;

	for (size_t i = 0; !found && i < n->log.n[table]; i++) {
		va_list ap;
		va_start(ap, table);
		found = row_has_all(n, table, i, ap);
		va_end(ap);
	}
	return found;
}
