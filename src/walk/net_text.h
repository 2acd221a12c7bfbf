// SPDX-License-Identifier: LGPL-2.1-or-later
// Addresses of networks as text in the row arena.
#ifndef VMI_WALK_NET_TEXT_H
#define VMI_WALK_NET_TEXT_H

#include "src/walk/walk.h"

// include/linux/socket.h
enum {
	KAF_UNIX = 1,
	KAF_INET = 2,
	KAF_INET6 = 10,
	KAF_NETLINK = 16,
	KAF_PACKET = 17,
	KAF_MAX = 64, // more than any kernel has
};

// An IPv4 (4 bytes) or IPv6 (16 bytes) address in network order; the latter after RFC 5952.
struct opt_text ip_text(struct walk *w, uint64_t family, const uint8_t *bytes);

// The address in a field of the structure at base; absent if it can't be read.
struct opt_text ip_col(struct walk *w, uint64_t family, uint64_t base, enum field f);

// The mask of a prefix length; absent if the length can't be true.
struct opt_text ip_mask(struct walk *w, uint64_t family, uint64_t prefix_length);

// A hardware address: lower-case pairs of digits between colons.
struct opt_text mac_text(struct walk *w, const uint8_t *bytes, size_t n);

#endif
