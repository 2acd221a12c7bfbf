// SPDX-License-Identifier: LGPL-2.1-or-later
// Network namespaces, devices and addresses of a made-up kernel, hostile ones among them.
#include "src/walk/net.h"
#include "src/walk/net_devices.h"
#include "src/walk/net_stats.h"
#include "src/walk/net_text.h"
#include "src/walk/tasks.h"
#include "tests/unit/net_guest.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static struct net_guest t;
static uint64_t init_net, bare_head;

static uint64_t new_device(uint64_t net, const char *name, uint64_t ifindex)
{
	uint64_t dev = guest_alloc(t.g, 4096);

	net_set_bytes(&t, dev, F(net_device, name), name, strlen(name));
	net_set(&t, dev, F(net_device, ifindex), ifindex);
	net_ring_add(&t, net_field(&t, net, F(net, dev_base_head)),
		     net_field(&t, dev, F(net_device, dev_list)));
	return dev;
}

// init_task with its namespace, and the list of namespaces with its bare head.
static void make_kernel(void)
{
	net_guest_init(&t);
	uint64_t nsproxy = guest_alloc(t.g, 4096);
	t.g->k.init_task = guest_alloc(t.g, 8192);
	init_net = net_guest_netns(&t, NET_INUM);
	bare_head = guest_alloc(t.g, 64);
	net_set(&t, t.g->k.init_task, F(task_struct, nsproxy), nsproxy);
	net_set(&t, nsproxy, F(nsproxy, net_ns), init_net);
	net_ring(&t, bare_head);
	net_ring_add(&t, bare_head, net_field(&t, init_net, F(net, list)));
}

static void end_kernel(void)
{
	net_guest_fini(&t);
}

TestSuite(net, .init = make_kernel, .fini = end_kernel);

// --- namespaces ---

Test(net, namespaces_of_list_and_tasks)
{
	struct netns_set set = {0};
	uint64_t listed = net_guest_netns(&t, 7), hidden = net_guest_netns(&t, 8),
		 nsproxy = guest_alloc(t.g, 4096);
	struct tasks tasks = {0};

	net_ring_add(&t, bare_head, net_field(&t, listed, F(net, list)));
	net_set(&t, nsproxy, F(nsproxy, net_ns), hidden);
	vec_push(&tasks.all, ((struct task){.nsproxy = nsproxy}));
	vec_push(&tasks.all, ((struct task){.nsproxy = 0})); // it has exited
	t.w.tasks = &tasks;
	netns_find(&t.w, TABLE_sockets, &set);
	cr_assert_eq(set.all.n, 3);
	cr_assert_eq(set.all.at[0].addr, init_net);
	cr_assert_eq(set.all.at[1].addr, listed);
	cr_assert_eq(set.all.at[2].addr, hidden);
	cr_assert_str_eq(netns_text(&t.w, &set, hidden).p, "8");
	cr_assert_null(netns_text(&t.w, &set, hidden + 64).p);
	cr_assert_eq(t.log.n[TABLE_problems], 0);
	t.w.tasks = NULL; // the walk's own would be freed
	netns_fini(&set);
	vec_fini(&tasks.all);
}

Test(net, what_is_no_namespace_is_reported_once_the_head_is_known)
{
	struct netns_set set = {0};
	uint64_t stranger = guest_alloc(t.g, 4096);

	t.g->k.symbol[S(net_namespace_list)] = bare_head;
	net_ring_add(&t, bare_head, net_field(&t, stranger, F(net, list)));
	netns_find(&t.w, TABLE_sockets, &set);
	cr_assert_eq(set.all.n, 1);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "warning", "table_name", "sockets",
			      NULL));
	netns_fini(&set);
}

Test(net, a_ring_that_leads_nowhere)
{
	struct netns_set set = {0};

	put_u64(t.g, net_field(&t, init_net, F(net, list)), NET_NOWHERE);
	netns_find(&t.w, TABLE_sockets, &set);
	cr_assert_eq(set.all.n, 1);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "error", NULL));
	netns_fini(&set);
}

Test(net, no_initial_namespace)
{
	struct netns_set set = {0};

	net_set(&t, t.g->k.init_task, F(task_struct, nsproxy), NET_NOWHERE);
	netns_find(&t.w, TABLE_sockets, &set);
	cr_assert_eq(set.all.n, 0);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "error", NULL));
	netns_fini(&set);
}

// --- devices ---

Test(net, devices_come_by_index_and_are_found_by_it)
{
	struct netdevs d = {0};
	uint64_t other = net_guest_netns(&t, 9);

	net_ring_add(&t, bare_head, net_field(&t, other, F(net, list)));
	new_device(init_net, "eth1", 3);
	new_device(init_net, "lo", 1);
	uint64_t twin = new_device(other, "lo", 1);
	netdevs_find(&t.w, TABLE_sockets, &d);
	cr_assert_eq(d.all.n, 3);
	cr_assert_str_eq(d.all.at[0].name, "lo");
	cr_assert_str_eq(d.all.at[1].name, "eth1");
	cr_assert_eq(netdevs_by_index(&d, other, 1)->addr, twin);
	cr_assert_str_eq(netdevs_by_index(&d, init_net, 3)->name, "eth1");
	cr_assert_null(netdevs_by_index(&d, other, 3));
	cr_assert_null(netdevs_by_index(&d, 0, 1));
	netdevs_fini(&d);
}

Test(net, a_name_without_end)
{
	struct netdevs d = {0};

	new_device(init_net, "0123456789abcdef", 1);
	netdevs_find(&t.w, TABLE_sockets, &d);
	cr_assert_str_eq(d.all.at[0].name, "0123456789abcdef");
	netdevs_fini(&d);
}

// A device without a function of its own, and the counters that all of them have.
static uint64_t plain_device(const char *name)
{
	uint64_t dev = new_device(init_net, name, 1), ops = guest_alloc(t.g, 4096);

	net_set(&t, dev, F(net_device, netdev_ops), ops);
	net_set(&t, dev, F(net_device, stats_rx_packets), 11);
	net_set(&t, dev, F(net_device, stats_tx_bytes), 12);
	net_set(&t, dev, F(net_device, stats_rx_dropped), 1);
	return dev;
}

Test(net, details_of_a_plain_device)
{
	uint64_t dev = plain_device("eth0"), mac = guest_alloc(t.g, 64),
		 bus = guest_alloc(t.g, 4096);
	uint64_t parent = guest_alloc(t.g, 4096), pci = guest_alloc(t.g, 1024),
		 text = guest_alloc(t.g, 64);

	guest_put(t.g, mac, "\x52\x54\x00\xAB\xcd\xEF", 6);
	net_set(&t, dev, F(net_device, addr_len), 6);
	net_set(&t, dev, F(net_device, dev_addr), mac);
	net_set(&t, dev, F(net_device, flags), 0x1003 | 0x40 | 0x100);
	net_set(&t, dev, F(net_device, gflags), 0x200);
	net_set(&t, dev, F(net_device, state), 3);
	net_set(&t, dev, F(net_device, operstate), 6);
	net_set(&t, dev, F(net_device, mtu), 1500);
	net_set(&t, dev, F(net_device, parent), parent); // of virtio, on PCI
	net_set(&t, parent, F(device, parent), pci);
	net_set(&t, pci, F(device, bus), bus);
	guest_put(t.g, text, "pci", 4);
	guest_put(t.g, text + 16, "0000:00:03.0", 13);
	net_set(&t, bus, F(bus_type, name), text);
	net_set(&t, pci, F(device, kobj_name), text + 16);
	walk_net_device.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_details, "interface", "eth0", "mac",
			      "52:54:00:ab:cd:ef", "flags", "4675", "state", "up", "mtu", "1500",
			      "pci_slot", "0000:00:03.0", "ipackets", "11", "obytes", "12",
			      "idrops", "1", "odrops", "0", "kind", NULL, "driver", NULL,
			      "stats_source", "net_device.stats", "net_namespace", "4026531840",
			      NULL),
		  "%s", row_log_problems(&t.log));
}

Test(net, a_device_that_is_down_or_has_no_address)
{
	uint64_t dev = plain_device("x0");

	net_set(&t, dev, F(net_device, operstate), 6);
	net_set(&t, dev, F(net_device, flags), 0x42);
	net_set(&t, dev, F(net_device, addr_len), 33);
	net_set(&t, dev, F(net_device, dev_addr), dev);
	walk_net_device.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_details, "state", "down", "flags", "2", "mac",
			      NULL, NULL),
		  "%s", row_log_problems(&t.log));
}

Test(net, counters_of_every_cpu)
{
	uint64_t dev = plain_device("x0"), area = guest_alloc(t.g, 8192);

	t.g->k.percpu_offset = mem_zalloc(3, sizeof(uint64_t));
	t.g->k.n_cpus = 3; // the second is not there
	t.g->k.percpu_offset[0] = area - 0x1000;
	t.g->k.percpu_offset[2] = area + 4096 - 0x1000;
	net_set(&t, dev, F(net_device, pcpu_stat_type), STAT_TSTATS);
	net_set(&t, dev, F(net_device, tstats), 0x1000);
	net_set(&t, area, F(pcpu_sw_netstats, rx_packets), 100);
	net_set(&t, area + 4096, F(pcpu_sw_netstats, rx_packets), 1000);
	walk_net_device.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_details, "ipackets", "1111", "obytes", "12",
			      "stats_source", "net_device.stats+tstats", NULL),
		  "%s", row_log_problems(&t.log));
}

Test(net, counters_are_null_where_a_driver_keeps_them)
{
	uint64_t dev = plain_device("x0"), ops = guest_alloc(t.g, 4096);

	net_set(&t, dev, F(net_device, netdev_ops), ops);
	net_set(&t, ops, F(net_device_ops, ndo_get_stats64), ops);
	walk_net_device.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_details, "ipackets", NULL, "collisions", NULL,
			      "stats_source", NULL, NULL));
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "note", "table_name",
			      "interface_details", NULL));
}

Test(net, loopback_receives_what_it_sends)
{
	uint64_t dev = plain_device("lo"), ops = guest_alloc(t.g, 4096),
		 area = guest_alloc(t.g, 4096);

	t.g->k.percpu_offset = mem_zalloc(1, sizeof(uint64_t));
	t.g->k.n_cpus = 1;
	t.g->k.percpu_offset[0] = area - 0x1000;
	net_set(&t, dev, F(net_device, type), 772);
	net_set(&t, dev, F(net_device, netdev_ops), ops);
	net_set(&t, ops, F(net_device_ops, ndo_get_stats64), ops);
	net_set(&t, dev, F(net_device, lstats), 0x1000);
	net_set(&t, area, F(pcpu_lstats, packets), 5);
	net_set(&t, area, F(pcpu_lstats, bytes), 500);
	walk_net_device.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_details, "ipackets", "5", "opackets", "5",
			      "ibytes", "500", "obytes", "500", "ierrors", "0", NULL),
		  "%s", row_log_problems(&t.log));
}

// --- addresses ---

static uint64_t new_inet(uint64_t before, const char *bytes, uint64_t flags)
{
	uint64_t ifa = guest_alloc(t.g, 4096);

	net_set_bytes(&t, ifa, F(in_ifaddr, ifa_local), bytes, 4);
	net_set_bytes(&t, ifa, F(in_ifaddr, ifa_address), bytes, 4);
	net_set(&t, ifa, F(in_ifaddr, ifa_flags), flags);
	net_set(&t, ifa, F(in_ifaddr, ifa_prefixlen), 24);
	net_set_bytes(&t, ifa, F(in_ifaddr, ifa_mask), "\xff\xff\xff\x00", 4);
	if (before)
		net_set(&t, before, F(in_ifaddr, ifa_next), ifa);
	return ifa;
}

Test(net, addresses_of_ipv4)
{
	uint64_t dev = new_device(init_net, "eth0", 2), in_dev = guest_alloc(t.g, 4096);
	uint64_t first = new_inet(0, "\x0a\x00\x02\x0f", 0x80);
	uint64_t second = new_inet(first, "\x0a\x09\x09\x01", 0);

	net_set(&t, dev, F(net_device, ip_ptr), in_dev);
	net_set(&t, in_dev, F(in_device, ifa_list), first);
	net_set_bytes(&t, first, F(in_ifaddr, ifa_label), "eth0:1", 7);
	net_set_bytes(&t, first, F(in_ifaddr, ifa_broadcast), "\x0a\x00\x02\xff", 4);
	net_set_bytes(&t, second, F(in_ifaddr, ifa_address), "\x0a\x09\x09\x02", 4);
	net_set(&t, second, F(in_ifaddr, ifa_scope), 253);
	walk_net_address.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "interface", "eth0", "address",
			      "10.0.2.15", "mask", "255.255.255.0", "broadcast", "10.0.2.255",
			      "point_to_point", NULL, "label", "eth0:1", "type", "manual", "scope",
			      "global", NULL),
		  "%s", row_log_problems(&t.log));
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "address", "10.9.9.1", "broadcast",
			      NULL, "point_to_point", "10.9.9.2", "type", "dhcp", "scope", "link",
			      NULL),
		  "%s", row_log_problems(&t.log));
}

static uint64_t new_inet6(uint64_t idev, const char *bytes, uint64_t scope, uint64_t flags)
{
	uint64_t ifa = guest_alloc(t.g, 4096);

	net_set_bytes(&t, ifa, F(inet6_ifaddr, addr), bytes, 16);
	net_set(&t, ifa, F(inet6_ifaddr, scope), scope);
	net_set(&t, ifa, F(inet6_ifaddr, flags), flags);
	net_set(&t, ifa, F(inet6_ifaddr, prefix_len), 64);
	net_ring_add(&t, net_field(&t, idev, F(inet6_dev, addr_list)),
		     net_field(&t, ifa, F(inet6_ifaddr, if_list)));
	return ifa;
}

Test(net, addresses_of_ipv6)
{
	uint64_t dev = new_device(init_net, "eth0", 2), idev = guest_alloc(t.g, 4096);

	net_set(&t, dev, F(net_device, ip6_ptr), idev);
	net_ring(&t, net_field(&t, idev, F(inet6_dev, addr_list)));
	new_inet6(idev, "\xfd\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\x07", 0, 0x82);
	uint64_t local = new_inet6(idev, "\xfe\x80\0\0\0\0\0\0\0\0\0\xff\xfe\0\0\xd0", 0x20, 0x80);
	new_inet6(idev, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 0x10, 0x80);
	uint64_t odd = new_inet6(idev, "\xfe\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 0x40, 0);
	net_set(&t, local, F(inet6_ifaddr, ifa_proto), 3);
	net_set(&t, odd, F(inet6_ifaddr, prefix_len), 129);
	walk_net_address.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "address", "fd00:9::7", "mask",
			      "ffff:ffff:ffff:ffff::", "type", "manual", "scope", "global",
			      "point_to_point", NULL, "label", NULL, NULL),
		  "%s", row_log_problems(&t.log));
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "address", "fe80::ff:fe00:d0", "type",
			      "auto", "scope", "link", NULL));
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "address", "::1", "scope", "host",
			      NULL));
	cr_assert(net_has_row(&t, TABLE_interface_addresses, "scope", "site", "mask", NULL,
			      "prefix_length", "129", NULL));
}

Test(net, addresses_that_run_in_a_circle)
{
	uint64_t dev = new_device(init_net, "eth0", 2), in_dev = guest_alloc(t.g, 4096);
	uint64_t ifa = new_inet(0, "\x0a\x00\x02\x0f", 0x80);

	net_set(&t, dev, F(net_device, ip_ptr), in_dev);
	net_set(&t, in_dev, F(in_device, ifa_list), ifa);
	net_set(&t, ifa, F(in_ifaddr, ifa_next), ifa);
	walk_net_address.run(&t.w);
	cr_assert(net_has_row(&t, TABLE_problems, "severity", "error", "table_name",
			      "interface_addresses", NULL));
	cr_assert(t.w.cover[TABLE_interface_addresses].partial);
}

Test(net, masks)
{
	cr_assert_str_eq(ip_mask(&t.w, KAF_INET, 0).p, "0.0.0.0");
	cr_assert_str_eq(ip_mask(&t.w, KAF_INET, 31).p, "255.255.255.254");
	cr_assert_str_eq(ip_mask(&t.w, KAF_INET6, 128).p,
			 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	cr_assert_null(ip_mask(&t.w, KAF_INET, 33).p);
	cr_assert_null(ip_mask(&t.w, KAF_INET6, UINT64_MAX).p);
}
