/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The truth about iptables: the entries of "filter" as the kernel hands them out. */
#define _GNU_SOURCE
#include "firewall.h"
#include "guest.h"
#include "truth.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where each hook begins and where its policy is, then the entries: both of linux/netfilter_ipv4.
 */
static void add_entries(struct text *out, const struct ipt_getinfo *info,
			const struct ipt_get_entries *entries)
{
	text_clear(out);
	text_add(out, info, sizeof(*info));
	text_add(out, entries->entrytable, entries->size);
}

void collect_firewall(uint64_t network)
{
	static struct text out;
	struct ipt_get_entries *entries;
	struct ipt_getinfo info;
	socklen_t length;
	int fd = firewall_open(&info);

	if (fd < 0)
		return;
	length = (socklen_t)(sizeof(*entries) + info.size);
	entries = calloc(1, length);
	if (entries == NULL)
		die("out of memory");
	strcpy(entries->name, "filter");
	entries->size = info.size;
	if (getsockopt(fd, SOL_IP, IPT_SO_GET_ENTRIES, entries, &length) == 0) {
		add_entries(&out, &info, entries);
		tar_add(&out, "netns/%" PRIu64 "/iptables.filter", network);
	}
	free(entries);
	close(fd);
}
