/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix sockets of all types and names, with bytes, connections and descriptors on their way. */
#define _GNU_SOURCE
#include "guest.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DIR "/tmp/actors/unix/"

struct name {
	struct sockaddr_un address;
	socklen_t length;
};

/* A name that begins with a NUL is abstract: it ends where its length says. */
static struct name name_of(const char *text, size_t length)
{
	struct name n = {.address.sun_family = AF_UNIX};

	memcpy(n.address.sun_path, text, length);
	n.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return n;
}

#define NAME(literal) name_of(literal, sizeof(literal) - 1)

static int bound(int type, struct name name)
{
	int fd = (int)CHECK(socket(AF_UNIX, type, 0));

	CHECK(bind(fd, (struct sockaddr *)&name.address, name.length));
	return fd;
}

static int connected(int type, struct name name)
{
	int fd = (int)CHECK(socket(AF_UNIX, type, 0));

	CHECK(connect(fd, (struct sockaddr *)&name.address, name.length));
	return fd;
}

static void open_stream(void)
{
	int listening = bound(SOCK_STREAM, NAME(DIR "stream")), client;

	CHECK(listen(listening, 5));
	client = connected(SOCK_STREAM, NAME(DIR "stream"));
	CHECK(accept(listening, NULL, NULL));
	fill(client, "unread in a stream");
	/* This one waits in the queue of the listening socket. */
	client = connected(SOCK_STREAM, NAME(DIR "stream"));
	fill(client, "not accepted");
}

static void open_abstract(void)
{
	int listening = bound(SOCK_SEQPACKET, NAME("\0abstract\0name"));

	CHECK(listen(listening, 5));
	connected(SOCK_SEQPACKET, NAME("\0abstract\0name"));
	CHECK(accept(listening, NULL, NULL));
	/* No name given: the kernel makes five digits. */
	bound(SOCK_DGRAM, NAME(""));
}

static void open_datagram(void)
{
	int client;

	bound(SOCK_DGRAM, NAME(DIR "datagram"));
	client = connected(SOCK_DGRAM, NAME(DIR "datagram"));
	fill(client, "unread one");
	fill(client, "unread two");
}

static void open_pairs(void)
{
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	fill(ends[0], "unread in a pair");
	CHECK(shutdown(ends[0], SHUT_WR));
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	CHECK(close(ends[1]));
}

static void open_odd_names(void)
{
	bound(SOCK_STREAM, NAME(DIR "new\nline\x1b"));
	bound(SOCK_STREAM, NAME(DIR "deleted"));
	CHECK(unlink(DIR "deleted"));
	bound(SOCK_DGRAM, NAME("relative"));
}

/* A descriptor that only the message in the queue holds. */
static void send_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec body = {.iov_base = "fd", .iov_len = 2};
	struct msghdr message = {
		.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int ends[2], pipe_ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(pipe(pipe_ends));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pipe_ends[0], sizeof(int));
	CHECK(sendmsg(ends[0], &message, 0));
	CHECK(close(pipe_ends[0]));
}

int unixes_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdir(DIR, 0755));
	CHECK(chdir(DIR));
	open_stream();
	open_abstract();
	open_datagram();
	open_pairs();
	open_odd_names();
	send_descriptor();
	rest_ready();
}
