/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TCP sockets in every state that lasts: each kept there by what its peer does or leaves undone. */
#define _GNU_SOURCE
#include "guest.h"
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both families have the same ports. */
enum {
	LISTEN_PORT = 7000,
	FLEETING_PORT = 7001,
	SHARED_PORT = 7002,
	MAPPED_PORT = 7003,
	DEVICE_PORT = 7004
};

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t length;
};

struct pair {
	int client, server;
};

static struct endpoint endpoint(int family, const char *host, int port)
{
	struct endpoint e = {.any.sa_family = (sa_family_t)family};

	if (family == AF_INET) {
		e.in.sin_port = htons((uint16_t)port);
		e.length = sizeof(e.in);
		CHECK(inet_pton(family, host, &e.in.sin_addr));
	} else {
		e.in6.sin6_port = htons((uint16_t)port);
		e.length = sizeof(e.in6);
		CHECK(inet_pton(family, host, &e.in6.sin6_addr));
	}
	return e;
}

static const char *loopback(int family)
{
	return family == AF_INET ? "127.0.0.1" : "::1";
}

static int new_socket(int family)
{
	/* Small buffers fill fast and keep the guest small. */
	int size = 4096, fd = (int)CHECK(socket(family, SOCK_STREAM, 0));

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)));
	CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	return fd;
}

static void set_option(int fd, int level, int option)
{
	int on = 1;

	CHECK(setsockopt(fd, level, option, &on, sizeof(on)));
}

static int bound(int family, const char *host, int port)
{
	struct endpoint e = endpoint(family, host, port);
	int fd = new_socket(family);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR);
	if (family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	if (port == SHARED_PORT)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT);
	CHECK(bind(fd, &e.any, e.length));
	return fd;
}

static int listener(int family, const char *host, int port)
{
	int fd = bound(family, host, port);

	CHECK(listen(fd, 5));
	return fd;
}

static int connected(int family, const char *host, int port)
{
	struct endpoint e = endpoint(family, host, port);
	int fd = new_socket(family);

	CHECK(connect(fd, &e.any, e.length));
	return fd;
}

static struct pair new_pair(int family, int listening, int port)
{
	struct pair p = {.client = connected(family, loopback(family), port)};

	p.server = (int)CHECK(accept(listening, NULL, NULL));
	return p;
}

static void await(int fd, int state)
{
	struct tcp_info info = {0};

	for (int i = 0; i < 2000; i++) {
		socklen_t length = sizeof(info);

		CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length));
		if (info.tcpi_state == state)
			return;
		usleep(5000);
	}
	die("TCP socket in state %d, not %d", info.tcpi_state, state);
}

/* Until the peer's window is shut and our own buffer full. */
static void stuff(int fd)
{
	static const char block[1024];
	int still = 0;

	while (still < 20) {
		if (send(fd, block, sizeof(block), MSG_DONTWAIT) > 0) {
			still = 0;
			continue;
		}
		if (errno != EAGAIN)
			die("cannot stuff a socket: %s", strerror(errno));
		still++;
		usleep(5000);
	}
}

static void make_established(int family, int listening, int port)
{
	struct pair p = new_pair(family, listening, port);
	char read_part[5];

	fill(p.client, "unread by the server");
	fill(p.server, "half unread by the client");
	CHECK(recv(p.client, read_part, sizeof(read_part), MSG_WAITALL));
	set_option(p.server, SOL_SOCKET, SO_KEEPALIVE);
	/* Full both ways: the queues of both ends hold bytes. */
	p = new_pair(family, listening, port);
	stuff(p.client);
}

/* One end has said its last word, the other has heard it: CLOSE_WAIT and FIN_WAIT2. */
static void make_half_closed(int family, int listening, int port)
{
	struct pair p = new_pair(family, listening, port);

	CHECK(shutdown(p.client, SHUT_WR));
	await(p.client, TCP_FIN_WAIT2);
	await(p.server, TCP_CLOSE_WAIT);
}

/* Our FIN waits behind bytes that the peer does not read. */
static void make_fin_wait1(int family, int listening, int port)
{
	struct pair p = new_pair(family, listening, port);

	stuff(p.client);
	CHECK(shutdown(p.client, SHUT_WR));
	await(p.client, TCP_FIN_WAIT1);
}

static void make_closing(int family, int listening, int port)
{
	struct pair p = new_pair(family, listening, port);

	stuff(p.client);
	CHECK(shutdown(p.client, SHUT_WR));
	CHECK(shutdown(p.server, SHUT_WR));
	await(p.client, TCP_CLOSING);
	await(p.server, TCP_FIN_WAIT2);
}

static void make_last_ack(int family, int listening, int port)
{
	struct pair p = new_pair(family, listening, port);

	stuff(p.client);
	CHECK(shutdown(p.server, SHUT_WR));
	await(p.client, TCP_CLOSE_WAIT);
	CHECK(shutdown(p.client, SHUT_WR));
	await(p.client, TCP_LAST_ACK);
}

/* Established for the kernel, not yet a file for the server. */
static void make_unaccepted(int family, int port)
{
	int fd = connected(family, loopback(family), port);

	fill(fd, "nobody accepted this");
}

static void make_states(int family)
{
	int listening = listener(family, family == AF_INET ? "0.0.0.0" : "::", LISTEN_PORT);

	make_established(family, listening, LISTEN_PORT);
	make_half_closed(family, listening, LISTEN_PORT);
	make_fin_wait1(family, listening, LISTEN_PORT);
	make_closing(family, listening, LISTEN_PORT);
	make_last_ack(family, listening, LISTEN_PORT);
	make_unaccepted(family, LISTEN_PORT);
	listener(family, loopback(family), SHARED_PORT);
	listener(family, loopback(family), SHARED_PORT);
	bound(family, loopback(family), 0);
	new_socket(family);
}

int tcp_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	make_states(AF_INET);
	CHECK(setsockopt(listener(AF_INET, "127.0.0.2", DEVICE_PORT), SOL_SOCKET, SO_BINDTODEVICE,
			 "lo", 3));
	rest_ready();
}

/* An IPv6 socket that talks IPv4. */
static void make_mapped(void)
{
	struct endpoint any = endpoint(AF_INET6, "::", MAPPED_PORT);
	int fd = new_socket(AF_INET6), client;

	CHECK(bind(fd, &any.any, any.length));
	CHECK(listen(fd, 5));
	client = connected(AF_INET, "127.0.0.1", MAPPED_PORT);
	CHECK(accept(fd, NULL, NULL));
	fill(client, "over IPv4");
}

/* An address that means something on one interface only. */
static void make_link_local(void)
{
	struct endpoint e = endpoint(AF_INET6, DUMMY_LINK_LOCAL, DEVICE_PORT);
	int fd = new_socket(AF_INET6);

	e.in6.sin6_scope_id = if_nametoindex("dummy0");
	CHECK(bind(fd, &e.any, e.length));
	CHECK(listen(fd, 5));
}

int tcp6_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	make_states(AF_INET6);
	make_mapped();
	make_link_local();
	rest_ready();
}

static void make_time_wait(int family, int listening)
{
	struct pair p = new_pair(family, listening, FLEETING_PORT);

	CHECK(shutdown(p.client, SHUT_WR));
	await(p.server, TCP_CLOSE_WAIT);
	CHECK(shutdown(p.server, SHUT_WR));
	await(p.server, TCP_CLOSE);
	CHECK(close(p.client));
	CHECK(close(p.server));
	/* An orphan that waits for the peer's FIN: the kernel keeps it as a timewait socket, too.
	 */
	p = new_pair(family, listening, FLEETING_PORT);
	CHECK(close(p.client));
	await(p.server, TCP_CLOSE_WAIT);
}

static void make_syn_sent(int family)
{
	struct endpoint e = endpoint(family, family == AF_INET ? BLACK_HOLE : BLACK_HOLE6, 4444);
	int fd = new_socket(family);

	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK));
	if (connect(fd, &e.any, e.length) == 0 || errno != EINPROGRESS)
		die("the black hole answers");
	await(fd, TCP_SYN_SENT);
}

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
};

struct pseudo_header {
	uint32_t source, destination;
	uint8_t zero, protocol;
	uint16_t length;
	struct tcphdr tcp;
};

static uint16_t checksum(const void *data, size_t length)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static struct syn forge_syn(const struct endpoint *from, const struct endpoint *to)
{
	struct syn syn = {
		.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP},
		.tcp = {.doff = 5, .syn = 1},
	};
	struct pseudo_header pseudo = {.protocol = IPPROTO_TCP, .length = htons(sizeof(syn.tcp))};

	syn.ip.saddr = pseudo.source = from->in.sin_addr.s_addr;
	syn.ip.daddr = pseudo.destination = to->in.sin_addr.s_addr;
	syn.ip.tot_len = htons(sizeof(syn));
	syn.tcp.source = from->in.sin_port;
	syn.tcp.dest = to->in.sin_port;
	syn.tcp.seq = htonl(1000);
	syn.tcp.window = htons(4096);
	pseudo.tcp = syn.tcp;
	syn.tcp.check = checksum(&pseudo, sizeof(pseudo));
	return syn;
}

/* A SYN from an address where nobody lives leaves a request behind. */
static void make_request(void)
{
	struct endpoint from = endpoint(AF_INET, NOBODY_ADDRESS, 5555);
	struct endpoint to = endpoint(AF_INET, HOME_ADDRESS, FLEETING_PORT);
	struct syn syn = forge_syn(&from, &to);
	int fd = (int)CHECK(socket(AF_INET, SOCK_RAW, IPPROTO_RAW));

	to.in.sin_port = 0;
	CHECK(sendto(fd, &syn, sizeof(syn), 0, &to.any, to.length));
	CHECK(close(fd));
}

int timewait_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	int v4 = listener(AF_INET, "0.0.0.0", FLEETING_PORT);
	int v6 = listener(AF_INET6, "::", FLEETING_PORT);

	make_time_wait(AF_INET, v4);
	make_time_wait(AF_INET6, v6);
	make_syn_sent(AF_INET);
	make_syn_sent(AF_INET6);
	make_request();
	rest_ready();
}
