/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making interfaces; each of these ends the program if it fails. */
#ifndef NETWORK_H
#define NETWORK_H

#include "netlink.h"

#include <stdint.h>

void link_add(const char *kind, const char *name, const char *mac);
void link_add_vlan(const char *below, const char *name, uint16_t id);
/* peer_ns: descriptor of the namespace for the peer, or -1 for this one. */
void link_add_veth(const char *name, const char *mac, const char *peer, const char *peer_mac,
		   int peer_ns);
void link_up(const char *name);
/* broadcast and label may be NULL. */
void address_add(const char *name, const char *address, unsigned prefix, const char *broadcast,
		 const char *label);
void neighbour_add(const char *name, const char *address, const char *mac);
void neighbour_add_stale(const char *name, const char *address, const char *mac);
void route_add(const char *name, const char *destination, uint8_t prefix, const char *gateway);

/* Zero and NULL stand for nothing, or what is usual. */
struct route {
	const char *destination, *gateway, *second_gateway, *device, *source;
	uint32_t table, metric, mtu;
	uint8_t prefix, type;
};

/* 0, or a negative errno: the kernel may be built without. */
int route_try(const struct route *route);
void make_routes(void);
/* Rules of iptables where its modules are loaded. */
void make_firewall(void);

unsigned network_index(const char *name);
uint8_t network_family(const char *text);
/* The address's bytes; how many. */
size_t network_host(const char *text, int *family, void *bytes);
void network_mac(struct request *r, int type, const char *mac);

/* Addresses of the pair of veth between the first and the second network namespace. */
#define HOME_ADDRESS   "10.77.0.1"
#define SPACE_ADDRESS  "10.77.0.2"
#define NOBODY_ADDRESS "10.77.0.99"
#define HOME_ADDRESS6  "fd77::1"
#define SPACE_ADDRESS6 "fd77::2"
/* Out of dummy0, which swallows everything. */
#define BLACK_HOLE  "10.9.8.99"
#define BLACK_HOLE6 "fd00:9::99"
/* Follows from dummy0's MAC address. */
#define DUMMY_LINK_LOCAL "fe80::ff:fe00:d0"
enum { SPACE_PORT = 8080 };

#endif
