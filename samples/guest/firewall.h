/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ioctl-like calls of iptables, and what both ends need for them. */
#ifndef FIREWALL_H
#define FIREWALL_H

/* The C library's goes first: then the kernel's leaves out what both have. */
#include <netinet/in.h>

#include <linux/netfilter_ipv4/ip_tables.h>

/* A socket that the table "filter" can be asked of, and how large it is; -1 where there is none. */
int firewall_open(struct ipt_getinfo *info);

#endif
