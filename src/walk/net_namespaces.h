// SPDX-License-Identifier: LGPL-2.1-or-later
// All network namespaces: those of the kernel's list, of processes and of sockets.
#ifndef VMI_WALK_NET_NAMESPACES_H
#define VMI_WALK_NET_NAMESPACES_H

#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "src/walk/walk.h"

struct netns {
	uint64_t addr; // struct net
	struct opt_int inum;
};

// Zero-initialised is empty.
struct netns_set {
	VEC(struct netns) all; // in the order of net_namespace_list, then as found
	struct u64map by_addr; // index into all
};

// Finds those of the list and of all tasks; what can't be read is reported for the table.
void netns_find(struct walk *w, enum table_id table, struct netns_set *set);
void netns_fini(struct netns_set *set);

// Adds the namespace that something else points to, unless it is known or none. True if it is
// in the set now.
bool netns_add(struct walk *w, struct netns_set *set, uint64_t net);

// The inode number of a namespace of the set as text in the row arena; absent if unknown.
struct opt_text netns_text(struct walk *w, const struct netns_set *set, uint64_t net);

#endif
