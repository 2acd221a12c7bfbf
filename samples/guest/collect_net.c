/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about networks: for each network namespace its files of /proc/net, links, addresses,
 * neighbours, routes. */
#define _GNU_SOURCE
#include "attrs.h"
#include "guest.h"
#include "netlink.h"
#include "truth.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_statistics(struct text *out, const struct rtattr *a)
{
	struct rtnl_link_stats64 s = {0};
	size_t length;

	if (a == NULL)
		return;
	length = RTA_PAYLOAD(a);
	memcpy(&s, RTA_DATA(a), length < sizeof(s) ? length : sizeof(s));
	text_format(out,
		    "\trx_packets=%" PRIu64 "\ttx_packets=%" PRIu64 "\trx_bytes=%" PRIu64
		    "\ttx_bytes=%" PRIu64 "\trx_errors=%" PRIu64 "\ttx_errors=%" PRIu64
		    "\trx_dropped=%" PRIu64 "\ttx_dropped=%" PRIu64 "\tmulticast=%" PRIu64
		    "\tcollisions=%" PRIu64,
		    (uint64_t)s.rx_packets, (uint64_t)s.tx_packets, (uint64_t)s.rx_bytes,
		    (uint64_t)s.tx_bytes, (uint64_t)s.rx_errors, (uint64_t)s.tx_errors,
		    (uint64_t)s.rx_dropped, (uint64_t)s.tx_dropped, (uint64_t)s.multicast,
		    (uint64_t)s.collisions);
}

static void add_link_info(struct text *out, const struct rtattr *info)
{
	const struct rtattr *attrs[IFLA_INFO_MAX + 1];

	if (info == NULL)
		return;
	rtnl_parse(attrs, IFLA_INFO_MAX, RTA_DATA(info), RTA_PAYLOAD(info));
	attr_string(out, "kind", attrs[IFLA_INFO_KIND]);
}

static void add_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *link = NLMSG_DATA(h);
	const struct rtattr *attrs[IFLA_MAX + 1];
	struct text *out = arg;

	rtnl_parse(attrs, IFLA_MAX, IFLA_RTA(link), IFLA_PAYLOAD(h));
	text_format(out, "ifindex=%d\ttype=%u\tflags=0x%x", link->ifi_index, link->ifi_type,
		    link->ifi_flags);
	attr_string(out, "name", attrs[IFLA_IFNAME]);
	attr_string(out, "alias", attrs[IFLA_IFALIAS]);
	attr_mac(out, "mac", attrs[IFLA_ADDRESS]);
	attr_mac(out, "broadcast", attrs[IFLA_BROADCAST]);
	attr_mac(out, "permanent_mac", attrs[IFLA_PERM_ADDRESS]);
	attr_u32(out, "mtu", attrs[IFLA_MTU]);
	attr_u32(out, "txqlen", attrs[IFLA_TXQLEN]);
	attr_u32(out, "link", attrs[IFLA_LINK]);
	attr_u32(out, "link_netnsid", attrs[IFLA_LINK_NETNSID]);
	attr_u32(out, "master", attrs[IFLA_MASTER]);
	attr_u32(out, "group", attrs[IFLA_GROUP]);
	attr_u32(out, "promiscuity", attrs[IFLA_PROMISCUITY]);
	attr_u8(out, "operstate", attrs[IFLA_OPERSTATE]);
	attr_u8(out, "linkmode", attrs[IFLA_LINKMODE]);
	attr_u8(out, "carrier", attrs[IFLA_CARRIER]);
	attr_string(out, "qdisc", attrs[IFLA_QDISC]);
	add_link_info(out, attrs[IFLA_LINKINFO]);
	add_statistics(out, attrs[IFLA_STATS64]);
	text_add(out, "\n", 1);
}

static void add_interface_address(const struct nlmsghdr *h, void *arg)
{
	const struct ifaddrmsg *a = NLMSG_DATA(h);
	const struct rtattr *attrs[IFA_MAX + 1];
	struct text *out = arg;

	rtnl_parse(attrs, IFA_MAX, IFA_RTA(a), IFA_PAYLOAD(h));
	text_format(out, "ifindex=%u\tfamily=%u\tprefixlen=%u\tscope=%u", a->ifa_index,
		    a->ifa_family, a->ifa_prefixlen, a->ifa_scope);
	attr_host(out, "address", a->ifa_family, attrs[IFA_ADDRESS]);
	attr_host(out, "local", a->ifa_family, attrs[IFA_LOCAL]);
	attr_host(out, "broadcast", a->ifa_family, attrs[IFA_BROADCAST]);
	attr_string(out, "label", attrs[IFA_LABEL]);
	attr_u32(out, "flags", attrs[IFA_FLAGS]);
	text_add(out, "\n", 1);
}

static void add_neighbour(const struct nlmsghdr *h, void *arg)
{
	const struct ndmsg *n = NLMSG_DATA(h);
	const struct rtattr *attrs[NDA_MAX + 1];
	struct text *out = arg;

	rtnl_parse(attrs, NDA_MAX, (const char *)n + NLMSG_ALIGN(sizeof(*n)),
		   NLMSG_PAYLOAD(h, sizeof(*n)));
	text_format(out, "ifindex=%d\tfamily=%u\tstate=0x%x\tflags=0x%x\ttype=%u", n->ndm_ifindex,
		    n->ndm_family, n->ndm_state, n->ndm_flags, n->ndm_type);
	attr_host(out, "address", n->ndm_family, attrs[NDA_DST]);
	attr_mac(out, "mac", attrs[NDA_LLADDR]);
	text_add(out, "\n", 1);
}

/* Of a route's metrics those that are shown most. */
static void add_metrics(struct text *out, const struct rtattr *metrics)
{
	const struct rtattr *attrs[RTAX_MAX + 1];

	if (metrics == NULL)
		return;
	rtnl_parse(attrs, RTAX_MAX, RTA_DATA(metrics), RTA_PAYLOAD(metrics));
	attr_u32(out, "mtu", attrs[RTAX_MTU]);
	attr_u32(out, "hoplimit", attrs[RTAX_HOPLIMIT]);
}

/* Several gateways: "multipath=IFINDEX GATEWAY,IFINDEX GATEWAY". */
static void add_hops(struct text *out, int family, const struct rtattr *hops)
{
	const struct rtattr *attrs[RTA_MAX + 1];
	const struct rtnexthop *hop;
	int left;

	if (hops == NULL)
		return;
	left = (int)RTA_PAYLOAD(hops);
	text_format(out, "\tmultipath=");
	for (hop = RTA_DATA(hops); RTNH_OK(hop, left); hop = RTNH_NEXT(hop)) {
		char host[INET6_ADDRSTRLEN] = "-";

		rtnl_parse(attrs, RTA_MAX, RTNH_DATA(hop), hop->rtnh_len - RTNH_LENGTH(0));
		if (attrs[RTA_GATEWAY] != NULL)
			inet_ntop(family, RTA_DATA(attrs[RTA_GATEWAY]), host, sizeof(host));
		text_format(out, "%s%d %s", (const void *)hop == RTA_DATA(hops) ? "" : ",",
			    hop->rtnh_ifindex, host);
		left -= (int)RTNH_ALIGN(hop->rtnh_len);
	}
}

static void add_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *r = NLMSG_DATA(h);
	const struct rtattr *attrs[RTA_MAX + 1];
	struct text *out = arg;

	rtnl_parse(attrs, RTA_MAX, RTM_RTA(r), RTM_PAYLOAD(h));
	text_format(out, "family=%u\tprefixlen=%u\ttype=%u\tscope=%u\tprotocol=%u\tflags=0x%x",
		    r->rtm_family, r->rtm_dst_len, r->rtm_type, r->rtm_scope, r->rtm_protocol,
		    r->rtm_flags);
	attr_u32(out, "table", attrs[RTA_TABLE]);
	attr_host(out, "destination", r->rtm_family, attrs[RTA_DST]);
	attr_host(out, "gateway", r->rtm_family, attrs[RTA_GATEWAY]);
	attr_host(out, "source", r->rtm_family, attrs[RTA_PREFSRC]);
	attr_u32(out, "ifindex", attrs[RTA_OIF]);
	attr_u32(out, "metric", attrs[RTA_PRIORITY]);
	add_metrics(out, attrs[RTA_METRICS]);
	add_hops(out, r->rtm_family, attrs[RTA_MULTIPATH]);
	text_add(out, "\n", 1);
}

static void collect_dump(uint64_t inode, const char *name, int type, size_t body,
			 void (*each)(const struct nlmsghdr *, void *))
{
	static struct text out;
	struct request r;

	text_clear(&out);
	rtnl_start(&r, type, NLM_F_DUMP, body);
	netlink_dump(NETLINK_ROUTE, &r, each, &out);
	tar_add(&out, "netns/%" PRIu64 "/%s", inode, name);
}

static void collect_network(uint64_t inode)
{
	char name[64];

	snprintf(name, sizeof(name), "netns/%" PRIu64, inode);
	tar_tree("/proc/self/net", name, 2);
	collect_dump(inode, "links", RTM_GETLINK, sizeof(struct ifinfomsg), add_link);
	collect_dump(inode, "addrs", RTM_GETADDR, sizeof(struct ifaddrmsg), add_interface_address);
	collect_dump(inode, "neighbours", RTM_GETNEIGH, sizeof(struct ndmsg), add_neighbour);
	collect_dump(inode, "routes", RTM_GETROUTE, sizeof(struct rtmsg), add_route);
	collect_unix(inode);
	collect_firewall(inode);
}

struct networks {
	uint64_t inodes[64];
	size_t count;
};

/* Enters the namespace behind path unless it was visited already. */
static void visit(struct networks *seen, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	CHECK(fstat(fd, &st));
	for (size_t i = 0; i < seen->count; i++) {
		if (seen->inodes[i] == st.st_ino) {
			close(fd);
			return;
		}
	}
	if (setns(fd, CLONE_NEWNET) == 0) {
		seen->inodes[seen->count++] = st.st_ino;
		collect_network(st.st_ino);
	}
	close(fd);
}

static void visit_process(const char *name, void *arg)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/ns/net", name);
	visit(arg, path);
}

static void visit_bound(const char *name, void *arg)
{
	char path[300];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	visit(arg, path);
}

void collect_networks(void)
{
	struct networks seen = {.count = 0};
	int home = (int)CHECK(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));

	each_entry("/proc", visit_process, &seen);
	/* A namespace without a process is held by a mount, as `ip netns add` does it. */
	each_entry("/run/netns", visit_bound, &seen);
	CHECK(setns(home, CLONE_NEWNET));
	close(home);
}
