/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sockets other than TCP: UDP, UDP-Lite, raw, packet, netlink, ping. */
#define _GNU_SOURCE
#include "guest.h"
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bound4(int type, int protocol, const char *host, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = (int)CHECK(socket(AF_INET, type, protocol));

	CHECK(inet_pton(AF_INET, host, &a.sin_addr));
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static int bound6(int type, int protocol, const char *host, int port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	int fd = (int)CHECK(socket(AF_INET6, type, protocol));

	CHECK(inet_pton(AF_INET6, host, &a.sin6_addr));
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void connect4(int fd, const char *host, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	CHECK(inet_pton(AF_INET, host, &a.sin_addr));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static void connect6(int fd, const char *host, int port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	CHECK(inet_pton(AF_INET6, host, &a.sin6_addr));
	CHECK(connect(fd, (struct sockaddr *)&a, sizeof(a)));
}

static void open_udp(void)
{
	int fd;

	bound4(SOCK_DGRAM, 0, "127.0.0.1", 5000);
	fd = (int)CHECK(socket(AF_INET, SOCK_DGRAM, 0));
	connect4(fd, "127.0.0.1", 5000);
	fill(fd, "unread datagram one");
	fill(fd, "unread datagram two");
	bound4(SOCK_DGRAM, 0, "0.0.0.0", 5001);
	bound6(SOCK_DGRAM, 0, "::1", 5000);
	fd = (int)CHECK(socket(AF_INET6, SOCK_DGRAM, 0));
	connect6(fd, "::1", 5000);
	fill(fd, "unread datagram");
	bound6(SOCK_DGRAM, 0, "::", 5002);
	CHECK(socket(AF_INET, SOCK_DGRAM, 0));
}

/* Gone from newer kernels. */
static void open_udplite(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);

	if (fd < 0)
		return;
	close(fd);
	bound4(SOCK_DGRAM, IPPROTO_UDPLITE, "127.0.0.1", 5003);
	bound6(SOCK_DGRAM, IPPROTO_UDPLITE, "::1", 5003);
}

static void open_raw(void)
{
	struct icmp6_filter filter;
	int fd = (int)CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));

	connect4(fd, "10.9.8.7", 0);
	bound4(SOCK_RAW, 89, "10.0.2.15", 0);
	fd = (int)CHECK(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6));
	ICMP6_FILTER_SETBLOCKALL(&filter);
	CHECK(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)));
	bound6(SOCK_RAW, 89, "::1", 0);
}

static void open_packet(void)
{
	struct sockaddr_ll a = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_LLDP),
		.sll_ifindex = (int)if_nametoindex("dummy0"),
	};
	int fd = (int)CHECK(socket(AF_PACKET, SOCK_RAW, 0));

	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	CHECK(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_LLDP)));
}

static void open_netlink(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK,
				.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR};
	int fd = (int)CHECK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));

	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	/* A port number that is not our PID. */
	fd = (int)CHECK(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_GENERIC));
	a.nl_groups = 0;
	a.nl_pid = 0x7ffffff0;
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	fd = (int)CHECK(socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT));
	a.nl_pid = 0;
	a.nl_groups = 1;
	CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}

static void open_ping(void)
{
	CHECK(write_file("/proc/sys/net/ipv4/ping_group_range", "0 2147483647"));
	bound4(SOCK_DGRAM, IPPROTO_ICMP, "127.0.0.1", 99);
	bound6(SOCK_DGRAM, IPPROTO_ICMPV6, "::1", 98);
}

int sockets_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	open_udp();
	open_udplite();
	open_raw();
	open_packet();
	open_netlink();
	open_ping();
	rest_ready();
}
