/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces and addresses of the guest, and a network namespace without a process. */
#define _GNU_SOURCE
#include "network.h"

#include "guest.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int result, const char *what, const char *name)
{
	if (result != 0)
		die("%s %s: %s", what, name, strerror(-result));
}

unsigned network_index(const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index == 0)
		die("no interface %s", name);
	return index;
}

static void add_name(struct request *r, const char *name)
{
	rtnl_attr(r, IFLA_IFNAME, name, strlen(name) + 1);
}

void network_mac(struct request *r, int type, const char *mac)
{
	unsigned b[6];
	uint8_t bytes[6];

	if (sscanf(mac, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
		die("no MAC address: %s", mac);
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)b[i];
	rtnl_attr(r, type, bytes, sizeof(bytes));
}

static struct ifinfomsg *start_link(struct request *r, int flags)
{
	return rtnl_start(r, RTM_NEWLINK, flags, sizeof(struct ifinfomsg));
}

static struct rtattr *start_kind(struct request *r, const char *kind)
{
	struct rtattr *info = rtnl_nest(r, IFLA_LINKINFO);

	rtnl_attr(r, IFLA_INFO_KIND, kind, strlen(kind));
	return info;
}

void link_add(const char *kind, const char *name, const char *mac)
{
	struct request r;

	start_link(&r, NLM_F_CREATE | NLM_F_EXCL);
	add_name(&r, name);
	network_mac(&r, IFLA_ADDRESS, mac);
	rtnl_nest_end(&r, start_kind(&r, kind));
	must(rtnl_send(&r), "cannot add", name);
}

void link_add_vlan(const char *below, const char *name, uint16_t id)
{
	struct request r;
	struct rtattr *info, *data;

	start_link(&r, NLM_F_CREATE | NLM_F_EXCL);
	add_name(&r, name);
	rtnl_u32(&r, IFLA_LINK, network_index(below));
	info = start_kind(&r, "vlan");
	data = rtnl_nest(&r, IFLA_INFO_DATA);
	rtnl_attr(&r, IFLA_VLAN_ID, &id, sizeof(id));
	rtnl_nest_end(&r, data);
	rtnl_nest_end(&r, info);
	must(rtnl_send(&r), "cannot add", name);
}

void link_add_veth(const char *name, const char *mac, const char *peer, const char *peer_mac,
		   int peer_ns)
{
	static const struct ifinfomsg none;
	struct request r;
	struct rtattr *info, *data, *other;

	start_link(&r, NLM_F_CREATE | NLM_F_EXCL);
	add_name(&r, name);
	network_mac(&r, IFLA_ADDRESS, mac);
	info = start_kind(&r, "veth");
	data = rtnl_nest(&r, IFLA_INFO_DATA);
	other = rtnl_nest(&r, VETH_INFO_PEER);
	/* The peer's attributes follow a link header of its own. */
	memcpy(r.room + r.header.nlmsg_len, &none, sizeof(none));
	r.header.nlmsg_len += sizeof(none);
	add_name(&r, peer);
	network_mac(&r, IFLA_ADDRESS, peer_mac);
	if (peer_ns >= 0)
		rtnl_u32(&r, IFLA_NET_NS_FD, (uint32_t)peer_ns);
	rtnl_nest_end(&r, other);
	rtnl_nest_end(&r, data);
	rtnl_nest_end(&r, info);
	must(rtnl_send(&r), "cannot add", name);
}

void link_up(const char *name)
{
	struct request r;
	struct ifinfomsg *link = start_link(&r, 0);

	link->ifi_index = (int)network_index(name);
	link->ifi_flags = IFF_UP;
	link->ifi_change = IFF_UP;
	must(rtnl_send(&r), "cannot raise", name);
}

static void link_set(const char *name, int attribute, const void *value, size_t length)
{
	struct request r;
	struct ifinfomsg *link = start_link(&r, 0);

	link->ifi_index = (int)network_index(name);
	rtnl_attr(&r, attribute, value, length);
	must(rtnl_send(&r), "cannot change", name);
}

size_t network_host(const char *text, int *family, void *bytes)
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*family, text, bytes) != 1)
		die("no address: %s", text);
	return *family == AF_INET6 ? 16 : 4;
}

void address_add(const char *name, const char *address, unsigned prefix, const char *broadcast,
		 const char *label)
{
	struct request r;
	struct ifaddrmsg *a = rtnl_start(&r, RTM_NEWADDR, NLM_F_CREATE, sizeof(*a));
	uint8_t bytes[16];
	int family;
	size_t length = network_host(address, &family, bytes);

	a->ifa_family = (uint8_t)family;
	a->ifa_prefixlen = (uint8_t)prefix;
	a->ifa_index = network_index(name);
	a->ifa_flags = IFA_F_PERMANENT | (family == AF_INET6 ? IFA_F_NODAD : 0);
	/* The kernel wants the scope of an address to be that of its neighbours. */
	a->ifa_scope = strcmp(name, "lo") == 0 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
	rtnl_attr(&r, IFA_LOCAL, bytes, length);
	rtnl_attr(&r, IFA_ADDRESS, bytes, length);
	if (broadcast != NULL)
		rtnl_attr(&r, IFA_BROADCAST, bytes, network_host(broadcast, &family, bytes));
	if (label != NULL)
		rtnl_attr(&r, IFA_LABEL, label, strlen(label) + 1);
	must(rtnl_send(&r), "cannot add address", address);
}

/* A point-to-point address: its own end and the other. */
static void address_add_peer(const char *name, const char *local, const char *peer)
{
	struct request r;
	struct ifaddrmsg *a = rtnl_start(&r, RTM_NEWADDR, NLM_F_CREATE, sizeof(*a));
	uint8_t bytes[16];
	int family;

	a->ifa_family = AF_INET;
	a->ifa_prefixlen = 32;
	a->ifa_index = network_index(name);
	rtnl_attr(&r, IFA_LOCAL, bytes, network_host(local, &family, bytes));
	rtnl_attr(&r, IFA_ADDRESS, bytes, network_host(peer, &family, bytes));
	must(rtnl_send(&r), "cannot add address", local);
}

uint8_t network_family(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static void make_cards(void)
{
	address_add("eth0", "10.0.2.15", 24, "10.0.2.255", NULL);
	address_add("eth0", "10.0.2.16", 24, "10.0.2.255", "eth0:1");
	address_add("eth0", "2001:db8:2::15", 64, NULL, NULL);
	link_up("eth0");
	route_add("eth0", "0.0.0.0", 0, "10.0.2.2");
	route_add("eth0", "2001:db8:ffff::", 48, "2001:db8:2::1");
	neighbour_add("eth0", "10.0.2.77", "52:54:00:aa:bb:77");
	neighbour_add("eth0", "2001:db8:2::77", "52:54:00:aa:bb:77");
	neighbour_add_stale("eth0", "10.0.2.78", "52:54:00:aa:bb:78");
	neighbour_add_stale("eth0", "2001:db8:2::78", "52:54:00:aa:bb:78");
	/* A card that is configured but down. */
	address_add("eth1", "192.168.77.2", 28, NULL, NULL);
}

static void make_virtual(void)
{
	uint32_t mtu = 1400;

	link_add("dummy", "dummy0", "02:00:00:00:00:d0");
	link_set("dummy0", IFLA_MTU, &mtu, sizeof(mtu));
	link_set("dummy0", IFLA_IFALIAS, "a dummy", 7);
	address_add("dummy0", "10.9.8.7", 24, NULL, NULL);
	address_add("dummy0", "fd00:9::7", 64, NULL, NULL);
	address_add_peer("dummy0", "10.9.9.1", "10.9.9.2");
	link_up("dummy0");
	link_add_vlan("eth0", "eth0.100", 100);
	address_add("eth0.100", "10.100.0.1", 24, NULL, NULL);
	link_up("eth0.100");
}

static void make_bridge(void)
{
	uint32_t bridge;

	link_add("bridge", "br0", "02:00:00:00:00:b0");
	bridge = network_index("br0");
	link_add_veth("port0", "02:00:00:00:00:b1", "port1", "02:00:00:00:00:b2", -1);
	link_set("port0", IFLA_MASTER, &bridge, sizeof(bridge));
	address_add("br0", "172.20.0.1", 16, "172.20.255.255", NULL);
	link_up("br0");
	link_up("port0");
	link_up("port1");
}

/* What `ip netns add lone` does: a namespace that only a mount keeps. */
static void make_lone_namespace(void)
{
	int pid, status;

	mkdir("/run/netns", 0755);
	write_file("/run/netns/lone", "");
	pid = (int)CHECK(fork());
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNET));
		CHECK(mount("/proc/self/ns/net", "/run/netns/lone", NULL, MS_BIND, NULL));
		link_up("lo");
		link_add("dummy", "dummy0", "02:00:00:00:01:d0");
		address_add("dummy0", "10.66.0.1", 24, NULL, NULL);
		link_up("dummy0");
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0));
	if (status != 0)
		die("no lone namespace");
}

int network_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	link_up("lo");
	address_add("lo", "127.0.0.2", 8, NULL, NULL);
	make_cards();
	make_virtual();
	make_bridge();
	make_routes();
	make_firewall();
	make_lone_namespace();
	return 0;
}
