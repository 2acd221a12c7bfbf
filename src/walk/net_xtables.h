// SPDX-License-Identifier: LGPL-2.1-or-later
// x_tables: the tables of a network namespace, and where things are in them.
#ifndef VMI_WALK_NET_XTABLES_H
#define VMI_WALK_NET_XTABLES_H

#include "src/walk/walk.h"

// Members of the kernel's own structures. What user space shares with it (include/uapi/linux/
// netfilter) can't change.
enum xt_place {
	XT_TABLE_HOOKS,
	XT_TABLE_PRIVATE,
	XT_TABLE_NAME,
	XT_INFO_SIZE,
	XT_INFO_NUMBER,
	XT_INFO_HOOK_ENTRY,
	XT_INFO_UNDERFLOW,
	XT_INFO_ENTRIES,
	XT_ENTRY_MATCH,
	XT_ENTRY_TARGET,
	XT_MATCH_NAME,
	XT_TARGET_NAME,
	N_XT_PLACES,
};

struct xtables {
	struct walk *w;
	enum table_id table; // for which problems are reported
	uint32_t off[N_XT_PLACES];
	uint64_t slots;	  // data of modules that may still be looked at
	bool found;	  // lists of tables, in any network namespace
	uint64_t without; // a network namespace that has none, or 0
};

// False if the kernel has no place where tables could hang: the table is unavailable.
bool xtables_init(struct xtables *x, struct walk *w, enum table_id table);

// Visits the address of each struct xt_table of IPv4, until the visitor returns false.
void xtables_each(struct xtables *x, uint64_t net, bool (*visit)(void *arg, uint64_t table),
		  void *arg);

// To be called after all namespaces: lists that must be somewhere and were not found are reported.
void xtables_check(struct xtables *x);

#endif
