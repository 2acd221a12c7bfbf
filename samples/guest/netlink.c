/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netlink requests and dumps, as rtnetlink(7) and linux/rtnetlink.h describe them. */
#define _GNU_SOURCE
#include "netlink.h"

#include "guest.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void *rtnl_start(struct request *r, int type, int flags, size_t body)
{
	memset(r, 0, sizeof(*r));
	r->header.nlmsg_len = NLMSG_LENGTH((unsigned)body);
	r->header.nlmsg_type = (uint16_t)type;
	r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	r->header.nlmsg_seq = 1;
	return NLMSG_DATA(&r->header);
}

static struct rtattr *tail(struct request *r)
{
	return (struct rtattr *)(r->room + NLMSG_ALIGN(r->header.nlmsg_len));
}

void rtnl_attr(struct request *r, int type, const void *data, size_t length)
{
	struct rtattr *a = tail(r);

	if (NLMSG_ALIGN(r->header.nlmsg_len) + RTA_SPACE(length) > sizeof(r->room))
		die("netlink request too long");
	a->rta_type = (uint16_t)type;
	a->rta_len = (uint16_t)RTA_LENGTH(length);
	if (length > 0)
		memcpy(RTA_DATA(a), data, length);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + (uint32_t)RTA_SPACE(length);
}

void rtnl_u32(struct request *r, int type, uint32_t value)
{
	rtnl_attr(r, type, &value, sizeof(value));
}

struct rtattr *rtnl_nest(struct request *r, int type)
{
	struct rtattr *nest = tail(r);

	rtnl_attr(r, type, NULL, 0);
	return nest;
}

void rtnl_nest_end(struct request *r, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((char *)tail(r) - (char *)nest);
}

static int open_netlink(int protocol)
{
	return (int)CHECK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
}

int rtnl_send(struct request *r)
{
	union {
		struct nlmsghdr header;
		char room[4096];
	} answer;
	const struct nlmsgerr *error;
	int fd = open_netlink(NETLINK_ROUTE);

	r->header.nlmsg_flags |= NLM_F_ACK;
	CHECK(send(fd, r, r->header.nlmsg_len, 0));
	CHECK(recv(fd, &answer, sizeof(answer), 0));
	close(fd);
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return 0;
	error = NLMSG_DATA(&answer.header);
	return error->error;
}

void netlink_dump(int protocol, struct request *r, void (*each)(const struct nlmsghdr *, void *),
		  void *arg)
{
	static char room[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
	int fd = open_netlink(protocol);

	CHECK(send(fd, r, r->header.nlmsg_len, 0));
	for (;;) {
		unsigned length = (unsigned)CHECK(recv(fd, room, sizeof(room), 0));
		const struct nlmsghdr *h = (const struct nlmsghdr *)room;

		for (; NLMSG_OK(h, length); h = NLMSG_NEXT(h, length)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
				close(fd);
				return;
			}
			each(h, arg);
		}
	}
}

void rtnl_parse(const struct rtattr **attrs, int max, const void *first, size_t length)
{
	const struct rtattr *a = first;
	int left = (int)length;

	memset(attrs, 0, sizeof(*attrs) * (size_t)(max + 1));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) <= max)
			attrs[a->rta_type & NLA_TYPE_MASK] = a;
}
