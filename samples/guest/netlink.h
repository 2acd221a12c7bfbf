/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As much of rtnetlink as making and reading interfaces takes. */
#ifndef NETLINK_H
#define NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

struct request {
	union {
		struct nlmsghdr header;
		char room[1024];
	};
};

void *rtnl_start(struct request *r, int type, int flags, size_t body);
void rtnl_attr(struct request *r, int type, const void *data, size_t length);
void rtnl_u32(struct request *r, int type, uint32_t value);
struct rtattr *rtnl_nest(struct request *r, int type);
void rtnl_nest_end(struct request *r, struct rtattr *nest);

/* Sends and waits for the answer; 0 or a negative errno. */
int rtnl_send(struct request *r);

/* Sends a request for a dump in any netlink protocol; each() is called for every message of the
 * answer. */
void netlink_dump(int protocol, struct request *r, void (*each)(const struct nlmsghdr *, void *),
		  void *arg);

/* attrs[] by type, NULL where absent. */
void rtnl_parse(const struct rtattr **attrs, int max, const void *first, size_t length);

#endif
