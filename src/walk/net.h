// SPDX-License-Identifier: LGPL-2.1-or-later
// The extractors of network devices.
#ifndef VMI_WALK_NET_H
#define VMI_WALK_NET_H

#include "src/walk/walk.h"

extern const struct extractor walk_net_device;	  // interface_details
extern const struct extractor walk_net_address;	  // interface_addresses
extern const struct extractor walk_net_neighbour; // arp_cache
extern const struct extractor walk_net_route;	  // routes
extern const struct extractor walk_net_iptables;  // iptables

#endif
