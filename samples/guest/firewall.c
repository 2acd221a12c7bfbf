/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules in iptables' table "filter", put there without iptables: a blob that the kernel swaps in.
 */
#define _GNU_SOURCE
#include "firewall.h"

#include "guest.h"
#include "network.h"

#include <arpa/inet.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 8192, MOST_COUNTERS = 64 };

/* A rule as iptables would print it; a NULL target is the end of a chain of the user's. */
struct rule {
	const char *source, *source_mask, *destination, *destination_mask, *in, *out, *target;
	uint16_t protocol, first_port, last_port;
	/* Of the standard target: a verdict, or where to go on. */
	int verdict;
};

struct blob {
	struct ipt_replace head;
	/* The entries follow the head. */
	char entries[ROOM];
};

int firewall_open(struct ipt_getinfo *info)
{
	socklen_t length = sizeof(*info);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	memset(info, 0, sizeof(*info));
	strcpy(info->name, "filter");
	if (fd >= 0 && getsockopt(fd, SOL_IP, IPT_SO_GET_INFO, info, &length) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void set_host(const char *text, struct in_addr *host)
{
	if (text != NULL && inet_pton(AF_INET, text, host) != 1)
		die("no address: %s", text);
}

static void set_interface(const char *text, char *name, unsigned char *mask)
{
	if (text == NULL)
		return;
	strcpy(name, text);
	/* The terminating zero is compared, too: the name is whole. */
	memset(mask, 0xff, strlen(text) + 1);
}

static void set_address(struct ipt_ip *ip, const struct rule *rule)
{
	set_host(rule->source, &ip->src);
	set_host(rule->source_mask, &ip->smsk);
	set_host(rule->destination, &ip->dst);
	set_host(rule->destination_mask, &ip->dmsk);
	set_interface(rule->in, ip->iniface, ip->iniface_mask);
	set_interface(rule->out, ip->outiface, ip->outiface_mask);
	ip->proto = rule->protocol;
}

static size_t add_match(char *at, const struct rule *rule)
{
	struct xt_entry_match *match = (struct xt_entry_match *)at;
	struct xt_tcp ports = {.spts = {0, 0xffff}, .dpts = {rule->first_port, rule->last_port}};

	if (rule->first_port == 0)
		return 0;
	match->u.user.match_size = (uint16_t)(sizeof(*match) + XT_ALIGN(sizeof(ports)));
	strcpy(match->u.user.name, "tcp");
	memcpy(match->data, &ports, sizeof(ports));
	return match->u.user.match_size;
}

static size_t add_target(char *at, const struct rule *rule)
{
	struct xt_standard_target *standard = (struct xt_standard_target *)at;
	struct xt_error_target *error = (struct xt_error_target *)at;

	if (rule->target == NULL) {
		standard->target.u.user.target_size = XT_ALIGN(sizeof(*standard));
		standard->verdict = rule->verdict;
		return standard->target.u.user.target_size;
	}
	error->target.u.user.target_size = XT_ALIGN(sizeof(*error));
	strcpy(error->target.u.user.name, XT_ERROR_TARGET);
	strcpy(error->errorname, rule->target);
	return error->target.u.user.target_size;
}

static unsigned add_rule(struct blob *blob, const struct rule *rule)
{
	unsigned at = blob->head.size;
	struct ipt_entry *entry = (struct ipt_entry *)(blob->entries + at);

	set_address(&entry->ip, rule);
	entry->target_offset = (uint16_t)(sizeof(*entry) + add_match((char *)entry->elems, rule));
	entry->next_offset = (uint16_t)(entry->target_offset +
					add_target((char *)entry + entry->target_offset, rule));
	blob->head.size += entry->next_offset;
	blob->head.num_entries++;
	return at;
}

static const struct rule accept_all = {.verdict = -NF_ACCEPT - 1};
static const struct rule drop_all = {.verdict = -NF_DROP - 1};
static const struct rule go_back = {.verdict = XT_RETURN};

static void fill_input(struct blob *blob)
{
	static const struct rule shell = {.source = "192.0.2.0",
					  .source_mask = "255.255.255.0",
					  .in = "eth0",
					  .protocol = IPPROTO_TCP,
					  .first_port = 22,
					  .last_port = 23,
					  .verdict = -NF_DROP - 1};
	static const struct rule names = {.destination = "198.51.100.7",
					  .destination_mask = "255.255.255.255",
					  .protocol = IPPROTO_UDP,
					  .verdict = -NF_ACCEPT - 1};

	blob->head.hook_entry[NF_INET_LOCAL_IN] = add_rule(blob, &shell);
	add_rule(blob, &names);
	blob->head.underflow[NF_INET_LOCAL_IN] = add_rule(blob, &accept_all);
}

/* A jump to a chain of our own, which comes last. */
static void fill_output(struct blob *blob)
{
	static const struct rule chain = {.target = "guest-chain"};
	static const struct rule end = {.target = XT_ERROR_TARGET};
	static const struct rule inside = {.destination = "203.0.113.0",
					   .destination_mask = "255.255.255.0",
					   .verdict = -NF_DROP - 1};
	struct rule jump = {.out = "dummy0"};
	struct ipt_entry *entry;
	unsigned at = add_rule(blob, &jump);

	blob->head.hook_entry[NF_INET_LOCAL_OUT] = at;
	blob->head.underflow[NF_INET_LOCAL_OUT] = add_rule(blob, &accept_all);
	add_rule(blob, &chain);
	entry = (struct ipt_entry *)(blob->entries + at);
	((struct xt_standard_target *)ipt_get_target(entry))->verdict = (int)blob->head.size;
	add_rule(blob, &inside);
	add_rule(blob, &go_back);
	add_rule(blob, &end);
}

void make_firewall(void)
{
	static struct xt_counters counters[MOST_COUNTERS];
	static struct blob blob;
	struct ipt_getinfo info;
	int fd = firewall_open(&info);

	if (fd < 0)
		return;
	strcpy(blob.head.name, "filter");
	blob.head.valid_hooks = info.valid_hooks;
	blob.head.num_counters = info.num_entries;
	blob.head.counters = counters;
	fill_input(&blob);
	blob.head.hook_entry[NF_INET_FORWARD] = add_rule(&blob, &drop_all);
	blob.head.underflow[NF_INET_FORWARD] = blob.head.hook_entry[NF_INET_FORWARD];
	fill_output(&blob);
	CHECK(setsockopt(fd, SOL_IP, IPT_SO_SET_REPLACE, &blob,
			 (socklen_t)(sizeof(blob.head) + blob.head.size)));
	close(fd);
}
