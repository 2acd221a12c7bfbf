// SPDX-License-Identifier: LGPL-2.1-or-later
// One table of rules under way, and its rules; private to net_iptables*.c.
#ifndef VMI_WALK_NET_IPTABLES_H
#define VMI_WALK_NET_IPTABLES_H

#include "src/base/vec.h"
#include "src/walk/net_namespaces.h"
#include "src/walk/net_xtables.h"

// include/uapi/linux/netfilter_ipv4/ip_tables.h and netfilter/x_tables.h: a rule is a struct
// ipt_entry, then matches, then a target. The latter two begin with their size.
enum {
	IPT_ENTRY = 112,	// sizeof(struct ipt_entry)
	IPT_OFFSETS = 88,	// ipt_entry.target_offset and next_offset
	XT_EXTENSION = 32,	// sizeof(struct xt_entry_match) and of struct xt_entry_target
	XT_EXTENSION_NAME = 29, // XT_EXTENSION_MAXNAMELEN
	NF_HOOKS = 5,		// NF_INET_NUMHOOKS
};

struct ipt_rule {
	uint64_t va;
	uint32_t at;	       // offset in the table
	uint16_t target, next; // offsets in the rule: of its target, of its end
};

// The rules of a chain; the last one is its end: the policy, or the return to where it was called.
struct ipt_chain {
	const char *name; // in names
	int hook;	  // NF_INET_*, or -1: one of the user's
	uint32_t start;	  // offset to which rules jump
	size_t first;	  // of rules
};

struct iptables {
	struct xtables x; // x.w, x.off
	struct netns_set nets;
	const struct netns *net; // the namespace under way
	struct u64map seen;	 // tables
	uint64_t budget;	 // rules and their parts that may still come

	// the table under way
	uint64_t table, entries; // struct xt_table, its first rule
	uint32_t size, number, hooks;
	uint32_t hook_entry[NF_HOOKS], underflow[NF_HOOKS];
	const char *filter_name; // in names
	struct arena names;
	struct u64map name_of;	// of a struct xt_match or xt_target: in names
	struct u64map by_start; // index into chains
	VEC(struct ipt_chain) chains;
	VEC(struct ipt_rule) rules;
};

// Counts down the budget; false, and reported, when it is used up.
bool iptables_spend(struct iptables *t, uint64_t n);

// The rows of all chains of the table that was read: net_iptables_rule.c.
void iptables_emit(struct iptables *t);

// What a match or target at va is called: the name that the structure behind its pointer has. NULL
// if it can't be read.
const char *iptables_extension(struct iptables *t, uint64_t va, enum xt_place pointer,
			       enum xt_place name);

#endif
