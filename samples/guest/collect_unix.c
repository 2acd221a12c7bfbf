/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about unix sockets that /proc/net/unix does not tell: peers, queues, connections not
 * yet accepted. */
#define _GNU_SOURCE
#include "attrs.h"

#include <inttypes.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>

/* A list of 32-bit numbers: the sockets that wait to be accepted. */
static void add_waiting(struct text *out, const struct rtattr *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < RTA_PAYLOAD(a) / sizeof(uint32_t); i++)
		text_format(out, "%s%u", i == 0 ? "\twaiting=" : ",",
			    ((const uint32_t *)RTA_DATA(a))[i]);
}

static void add_queue(struct text *out, const struct rtattr *a)
{
	struct unix_diag_rqlen length;

	if (a == NULL)
		return;
	memcpy(&length, RTA_DATA(a), sizeof(length));
	text_format(out, "\trqueue=%u\twqueue=%u", length.udiag_rqueue, length.udiag_wqueue);
}

static void add_unix(const struct nlmsghdr *h, void *arg)
{
	const struct unix_diag_msg *m = NLMSG_DATA(h);
	const struct rtattr *attrs[UNIX_DIAG_MAX + 1], *name;
	struct text *out = arg;

	rtnl_parse(attrs, UNIX_DIAG_MAX, m + 1, NLMSG_PAYLOAD(h, sizeof(*m)));
	text_format(out, "inode=%u\ttype=%u\tstate=%u", m->udiag_ino, m->udiag_type,
		    m->udiag_state);
	name = attrs[UNIX_DIAG_NAME];
	if (name != NULL) {
		text_format(out, "\tname=");
		text_escape(out, RTA_DATA(name), RTA_PAYLOAD(name));
	}
	attr_u32(out, "peer", attrs[UNIX_DIAG_PEER]);
	attr_u8(out, "shutdown", attrs[UNIX_DIAG_SHUTDOWN]);
	add_queue(out, attrs[UNIX_DIAG_RQLEN]);
	add_waiting(out, attrs[UNIX_DIAG_ICONS]);
	text_add(out, "\n", 1);
}

/* Who talks to whom is in no file of /proc. */
void collect_unix(uint64_t inode)
{
	static struct text out;
	struct request r;
	struct unix_diag_req *ask = rtnl_start(&r, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*ask));

	ask->sdiag_family = AF_UNIX;
	ask->udiag_states = UINT32_MAX;
	ask->udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN;
	text_clear(&out);
	netlink_dump(NETLINK_SOCK_DIAG, &r, add_unix, &out);
	tar_add(&out, "netns/%" PRIu64 "/unix_diag", inode);
}
