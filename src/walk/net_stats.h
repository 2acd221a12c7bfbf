// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters of network devices, as dev_get_stats() of net/core/dev.c adds them up.
#ifndef VMI_WALK_NET_STATS_H
#define VMI_WALK_NET_STATS_H

#include "src/walk/net_devices.h"

enum counter {
	RX_PACKETS,
	TX_PACKETS,
	RX_BYTES,
	TX_BYTES,
	RX_ERRORS,
	TX_ERRORS,
	RX_DROPPED,
	TX_DROPPED,
	COLLISIONS,
	N_COUNTERS
};

struct counters {
	uint64_t v[N_COUNTERS];
	const char *source; // NULL: unknown, v means nothing
};

// A device, and what decides where its counters are.
struct stats_of {
	const struct netdev *dev;
	const char *kind;   // rtnl_link_ops.kind, or NULL
	const char *driver; // device_driver.name, or NULL
	uint64_t type;	    // ARPHRD_*
};

// The counters that the kernel itself keeps, without knowing any driver. False if the device has
// a function of its own for them that is not among the kernel's.
bool stats_generic(struct walk *w, const struct stats_of *of, struct counters *c);

// Building blocks, for drivers. Each adds to c->v; false if something can't be read.
bool stats_add_device(struct walk *w, uint64_t dev, struct counters *c); // net_device.stats
bool stats_add_tstats(struct walk *w, uint64_t dev, struct counters *c);
bool stats_add_lstats(struct walk *w, uint64_t dev, struct counters *c); // as sent
bool stats_add_percpu(struct walk *w, uint64_t ptr, enum field f, uint64_t *v);
// net_device.pcpu_stat_type: enum netdev_stat_type, include/linux/netdevice.h, since 6.7.
enum stat_type { STAT_TSTATS = 2, STAT_DSTATS = 3 };
bool stats_type_is(struct walk *w, uint64_t dev, enum stat_type type);
// What the core itself dropped: core_stats, or rx_dropped and tx_dropped.
bool stats_add_core(struct walk *w, uint64_t dev, struct counters *c);

// --- drivers with counters of their own: net_driver.c ---

struct net_drivers; // the types of modules, opened as needed

struct net_drivers *net_drivers_new(void);
void net_drivers_free(struct net_drivers *d);

// The counters of a device whose driver is known. False with *why if they can't be had.
bool stats_of_driver(struct walk *w, struct net_drivers *d, const struct stats_of *of,
		     struct counters *c, const char **why);

// The speed of the link in Mbit/s, where the driver keeps one.
struct opt_int speed_of_driver(struct walk *w, struct net_drivers *d, const struct stats_of *of);

// --- for drivers that take more than adding up: net_veth.c ---

struct module_types;
enum { NET_MAX_QUEUES = 4096 }; // more than any driver has

// netdev_priv(), or 0.
uint64_t net_private(struct walk *w, uint64_t dev);

bool net_veth_stats(struct walk *w, const struct module_types *m, uint64_t dev, struct counters *c);

#endif
