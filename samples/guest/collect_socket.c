/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about sockets and pipes that no file of /proc has: asked of a duplicate of the
 * descriptor. */
#define _GNU_SOURCE
#include "truth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_nl nl;
	struct sockaddr_ll ll;
	struct sockaddr_storage room;
};

static void add_option(struct text *out, const char *name, int fd, int level, int option)
{
	int value = 0;
	socklen_t length = sizeof(value);

	if (getsockopt(fd, level, option, &value, &length) == 0)
		text_format(out, "\t%s=%d", name, value);
}

static void add_ioctl(struct text *out, const char *name, int fd, unsigned long request)
{
	int value = 0;

	if (ioctl(fd, request, &value) == 0)
		text_format(out, "\t%s=%d", name, value);
}

static void add_address(struct text *out, const char *name, const union address *a,
			socklen_t length)
{
	char host[INET6_ADDRSTRLEN] = "";

	text_format(out, "\t%s=", name);
	switch (a->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
		text_format(out, "%s:%u", host, ntohs(a->in.sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof(host));
		text_format(out, "[%s%%%u]:%u", host, a->in6.sin6_scope_id,
			    ntohs(a->in6.sin6_port));
		break;
	case AF_UNIX:
		text_escape(out, a->un.sun_path, length - offsetof(struct sockaddr_un, sun_path));
		break;
	case AF_NETLINK:
		text_format(out, "%u:%x", a->nl.nl_pid, a->nl.nl_groups);
		break;
	case AF_PACKET:
		text_format(out, "%d:%04x", a->ll.sll_ifindex, ntohs(a->ll.sll_protocol));
		break;
	}
}

static void add_names(struct text *out, int fd)
{
	union address a = {0};
	socklen_t length = sizeof(a);

	if (getsockname(fd, &a.any, &length) == 0)
		add_address(out, "local", &a, length);
	length = sizeof(a);
	if (getpeername(fd, &a.any, &length) == 0)
		add_address(out, "peer", &a, length);
}

static void add_network(struct text *out, int fd)
{
	int ns = ioctl(fd, SIOCGSKNS);
	struct stat st;

	if (ns < 0)
		return;
	if (fstat(ns, &st) == 0)
		text_format(out, "\tnetns=%" PRIu64, (uint64_t)st.st_ino);
	close(ns);
}

static void add_peer_process(struct text *out, int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid != 0)
		text_format(out, "\tpeer_pid=%d\tpeer_uid=%u\tpeer_gid=%u", peer.pid, peer.uid,
			    peer.gid);
}

static void add_socket(struct text *out, int fd)
{
	add_option(out, "domain", fd, SOL_SOCKET, SO_DOMAIN);
	add_option(out, "type", fd, SOL_SOCKET, SO_TYPE);
	add_option(out, "protocol", fd, SOL_SOCKET, SO_PROTOCOL);
	add_option(out, "accepts", fd, SOL_SOCKET, SO_ACCEPTCONN);
	add_option(out, "rcvbuf", fd, SOL_SOCKET, SO_RCVBUF);
	add_option(out, "sndbuf", fd, SOL_SOCKET, SO_SNDBUF);
	add_option(out, "mark", fd, SOL_SOCKET, SO_MARK);
	add_option(out, "bound_if", fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	add_ioctl(out, "inq", fd, SIOCINQ);
	add_ioctl(out, "outq", fd, SIOCOUTQ);
	add_network(out, fd);
	add_peer_process(out, fd);
	add_names(out, fd);
}

struct owner {
	struct text *out;
	int pid, pidfd;
};

static void collect_socket(const char *name, void *arg)
{
	struct owner *owner = arg;
	char path[300];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", owner->pid, name);
	if (stat(path, &st) != 0 || !(S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)))
		return;
	fd = (int)syscall(SYS_pidfd_getfd, owner->pidfd, atoi(name), 0);
	if (fd < 0)
		return;
	text_format(owner->out, "%s\tinode=%" PRIu64, name, (uint64_t)st.st_ino);
	if (S_ISSOCK(st.st_mode)) {
		add_socket(owner->out, fd);
	} else {
		add_ioctl(owner->out, "inq", fd, FIONREAD);
		text_format(owner->out, "\tpipe_size=%d", fcntl(fd, F_GETPIPE_SZ));
	}
	text_add(owner->out, "\n", 1);
	close(fd);
}

void collect_sockets(int pid)
{
	static struct text out;
	struct owner owner = {.out = &out, .pid = pid};
	char path[64];

	owner.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (owner.pidfd < 0)
		return;
	text_clear(&out);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	each_entry(path, collect_socket, &owner);
	close(owner.pidfd);
	if (out.length > 0)
		tar_add(&out, "proc/%d/sockets", pid);
}
