// SPDX-License-Identifier: LGPL-2.1-or-later
// A guest with a network namespace, for tests of devices and sockets: every field that they use is
// placed, and rows go into a log.
#ifndef VMI_TESTS_NET_GUEST_H
#define VMI_TESTS_NET_GUEST_H

#include "tests/unit/kernel_builder.h"
#include "tests/unit/row_log.h"

// In the kernel's half, and not mapped.
#define NET_NOWHERE 0xffffc90000000000ULL
#define NET_INUM    4026531840

struct net_guest {
	struct guest *g;
	struct row_log log;
	struct walk w;
};

void net_guest_init(struct net_guest *n);
void net_guest_fini(struct net_guest *n);

// A struct net without devices, in no list.
uint64_t net_guest_netns(struct net_guest *n, uint64_t inum);

void net_set(struct net_guest *n, uint64_t base, enum field f, uint64_t v);
void net_set_bytes(struct net_guest *n, uint64_t base, enum field f, const void *bytes,
		   size_t size);
uint64_t net_field(const struct net_guest *n, uint64_t base, enum field f);

// Rings of list_heads: an empty one, and a node at the end of one.
void net_ring(struct net_guest *n, uint64_t head);
void net_ring_add(struct net_guest *n, uint64_t head, uint64_t node);

// Whether the table has a row with these values: pairs of column and value (NULL for absent), and
// NULL in place of a column.
bool net_has_row(const struct net_guest *n, enum table_id table, ...) __attribute__((sentinel));

#endif
