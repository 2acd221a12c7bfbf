// SPDX-License-Identifier: LGPL-2.1-or-later
// The counters that do not depend on a driver.
#include "src/walk/net_stats.h"

#include <string.h>

enum { ARPHRD_LOOPBACK_TYPE = 772 }; // include/uapi/linux/if_arp.h

bool stats_add_device(struct walk *w, uint64_t dev, struct counters *c)
{
	static const enum field fields[N_COUNTERS] = {
		[RX_PACKETS] = F(net_device, stats_rx_packets),
		[TX_PACKETS] = F(net_device, stats_tx_packets),
		[RX_BYTES] = F(net_device, stats_rx_bytes),
		[TX_BYTES] = F(net_device, stats_tx_bytes),
		[RX_ERRORS] = F(net_device, stats_rx_errors),
		[TX_ERRORS] = F(net_device, stats_tx_errors),
		[RX_DROPPED] = F(net_device, stats_rx_dropped),
		[TX_DROPPED] = F(net_device, stats_tx_dropped),
		[COLLISIONS] = F(net_device, stats_collisions),
	};

	for (size_t i = 0; i < N_COUNTERS; i++) {
		uint64_t v;
		if (!k_get(w->k, dev, fields[i], &v))
			return false;
		c->v[i] += v;
	}
	return true;
}

bool stats_add_percpu(struct walk *w, uint64_t ptr, enum field f, uint64_t *v)
{
	const struct field_place *p = &w->k->field[f];
	int64_t sum;

	if (!p->present || !k_percpu_sum(w->k, ptr, p->off, p->size, &sum))
		return false;
	*v += (uint64_t)sum;
	return true;
}

struct percpu_term {
	enum counter to;
	enum field field;
};

static bool add_terms(struct walk *w, uint64_t ptr, const struct percpu_term *terms, size_t n,
		      struct counters *c)
{
	for (size_t i = 0; i < n; i++)
		if (!stats_add_percpu(w, ptr, terms[i].field, &c->v[terms[i].to]))
			return false;
	return true;
}

bool stats_add_tstats(struct walk *w, uint64_t dev, struct counters *c)
{
	static const struct percpu_term terms[] = {
		{RX_PACKETS, F(pcpu_sw_netstats, rx_packets)},
		{RX_BYTES, F(pcpu_sw_netstats, rx_bytes)},
		{TX_PACKETS, F(pcpu_sw_netstats, tx_packets)},
		{TX_BYTES, F(pcpu_sw_netstats, tx_bytes)},
	};

	return add_terms(w, k_or0(w->k, dev, F(net_device, tstats)), terms, 4, c);
}

static bool add_dstats(struct walk *w, uint64_t dev, struct counters *c)
{
	static const struct percpu_term terms[] = {
		{RX_PACKETS, F(pcpu_dstats, rx_packets)}, {RX_BYTES, F(pcpu_dstats, rx_bytes)},
		{RX_DROPPED, F(pcpu_dstats, rx_drops)},	  {TX_PACKETS, F(pcpu_dstats, tx_packets)},
		{TX_BYTES, F(pcpu_dstats, tx_bytes)},	  {TX_DROPPED, F(pcpu_dstats, tx_drops)},
	};

	return add_terms(w, k_or0(w->k, dev, F(net_device, dstats)), terms, 6, c);
}

bool stats_add_lstats(struct walk *w, uint64_t dev, struct counters *c)
{
	static const struct percpu_term terms[] = {
		{TX_PACKETS, F(pcpu_lstats, packets)},
		{TX_BYTES, F(pcpu_lstats, bytes)},
	};

	return add_terms(w, k_or0(w->k, dev, F(net_device, lstats)), terms, 2, c);
}

bool stats_add_core(struct walk *w, uint64_t dev, struct counters *c)
{
	struct kernel *k = w->k;
	uint64_t core;

	if (!k_has(k, F(net_device, core_stats))) {
		c->v[RX_DROPPED] += k_or0(k, dev, F(net_device, rx_dropped));
		c->v[TX_DROPPED] += k_or0(k, dev, F(net_device, tx_dropped));
		return k_has(k, F(net_device, rx_dropped));
	}
	if (!k_get(k, dev, F(net_device, core_stats), &core))
		return false;
	if (!core) // allocated at the first drop
		return true;
	return stats_add_percpu(w, core, F(net_device_core_stats, rx_dropped), &c->v[RX_DROPPED]) &&
	       stats_add_percpu(w, core, F(net_device_core_stats, tx_dropped), &c->v[TX_DROPPED]);
}

// --- which of them ---

bool stats_type_is(struct walk *w, uint64_t dev, enum stat_type type)
{
	uint64_t v;

	return k_get(w->k, dev, F(net_device, pcpu_stat_type), &v) && v == (uint64_t)type;
}

static bool with_tstats(struct walk *w, uint64_t dev, struct counters *c)
{
	c->source = "net_device.stats+tstats";
	return stats_add_device(w, dev, c) && stats_add_tstats(w, dev, c);
}

// A device without a function of its own.
static bool by_stat_type(struct walk *w, uint64_t dev, struct counters *c)
{
	if (stats_type_is(w, dev, STAT_TSTATS))
		return with_tstats(w, dev, c);
	c->source = "net_device.stats";
	if (!stats_type_is(w, dev, STAT_DSTATS))
		return stats_add_device(w, dev, c);
	c->source = "net_device.stats+dstats";
	return stats_add_device(w, dev, c) && add_dstats(w, dev, c);
}

static bool is_kind(const struct stats_of *of, const char *kind)
{
	return of->kind && strcmp(of->kind, kind) == 0;
}

// The loopback device receives what it sends, a dummy swallows it, a monitor of netlink receives.
static bool by_lstats(struct walk *w, const struct stats_of *of, struct counters *c)
{
	struct counters sent = {0};
	bool loopback = of->type == ARPHRD_LOOPBACK_TYPE, dummy = is_kind(of, "dummy");

	if (!loopback && !dummy && !is_kind(of, "nlmon"))
		return false;
	c->source = "net_device.lstats";
	if (!stats_add_lstats(w, of->dev->addr, &sent))
		return false;
	if (loopback || dummy) {
		c->v[TX_PACKETS] = sent.v[TX_PACKETS];
		c->v[TX_BYTES] = sent.v[TX_BYTES];
	}
	if (!dummy) {
		c->v[RX_PACKETS] = sent.v[TX_PACKETS];
		c->v[RX_BYTES] = sent.v[TX_BYTES];
	}
	return true;
}

// The functions that add up nothing but what the net_device has.
static bool by_function(struct walk *w, const struct stats_of *of, uint64_t function,
			struct counters *c)
{
	const uint64_t *symbol = w->k->symbol;

	if (function == symbol[S(dev_get_tstats64)] || function == symbol[S(ip_tunnel_get_stats64)])
		return with_tstats(w, of->dev->addr, c);
	// tun_net_get_stats64() adds frame errors alone to them since 5.11; before, tstats is
	// unused
	if (is_kind(of, "tun") && k_or0(w->k, of->dev->addr, F(net_device, tstats)))
		return with_tstats(w, of->dev->addr, c);
	return by_lstats(w, of, c);
}

bool stats_generic(struct walk *w, const struct stats_of *of, struct counters *c)
{
	uint64_t ops = k_or0(w->k, of->dev->addr, F(net_device, netdev_ops)), get64, get;

	*c = (struct counters){0};
	if (!k_get(w->k, ops, F(net_device_ops, ndo_get_stats64), &get64) ||
	    !k_get(w->k, ops, F(net_device_ops, ndo_get_stats), &get))
		return false;
	if (get64 ? !by_function(w, of, get64, c) : get || !by_stat_type(w, of->dev->addr, c))
		return false;
	return stats_add_core(w, of->dev->addr, c);
}
