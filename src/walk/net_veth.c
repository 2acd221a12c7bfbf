// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters of veth: what one end sends the other receives, and XDP has counters beside. After
// veth_get_stats64() of drivers/net/veth.c.
#include "src/walk/net_stats.h"

#include "src/kernel/module_types.h"

enum rx_part { RX_DROPS, XDP_PACKETS, XDP_BYTES, XDP_TX_ERR, PEER_XMIT_ERR, N_RX_PARTS };

// veth_stats_rx(): the sums over the receive queues.
static bool receive_sums(struct walk *w, const struct module_types *m, uint64_t dev,
			 uint64_t sum[N_RX_PARTS])
{
	static const char *const paths[N_RX_PARTS] = {
		[RX_DROPS] = "stats.vs.rx_drops",
		[XDP_PACKETS] = "stats.vs.xdp_packets",
		[XDP_BYTES] = "stats.vs.xdp_bytes",
		[XDP_TX_ERR] = "stats.vs.xdp_tx_err",
		[PEER_XMIT_ERR] = "stats.vs.peer_tq_xdp_xmit_err",
	};
	uint64_t rq, n, size = module_sizeof(m, "veth_rq");

	if (!module_get(m, net_private(w, dev), "veth_priv", "rq", &rq) || size == 0 ||
	    !k_get(w->k, dev, F(net_device, num_rx_queues), &n) || n > NET_MAX_QUEUES)
		return false;
	for (uint64_t i = 0; i < n * N_RX_PARTS; i++) {
		uint64_t one;
		if (!module_get(m, rq + i / N_RX_PARTS * size, "veth_rq", paths[i % N_RX_PARTS],
				&one))
			return false;
		sum[i % N_RX_PARTS] += one;
	}
	return true;
}

// What an end sent: net_device.tstats, before 6.7 (6f2684bf2b44) lstats. The two share a union, and
// pcpu_stat_type came before the change.
static bool sent(struct walk *w, uint64_t dev, struct counters *c)
{
	return stats_type_is(w, dev, STAT_TSTATS) ? stats_add_tstats(w, dev, c)
						  : stats_add_lstats(w, dev, c);
}

static bool add_peer(struct walk *w, const struct module_types *m, uint64_t peer,
		     struct counters *c)
{
	uint64_t rx[N_RX_PARTS] = {0};
	struct counters by_peer = {0};

	if (!sent(w, peer, &by_peer) || !receive_sums(w, m, peer, rx))
		return false;
	c->v[RX_PACKETS] += by_peer.v[TX_PACKETS];
	c->v[RX_BYTES] += by_peer.v[TX_BYTES];
	c->v[TX_DROPPED] += rx[PEER_XMIT_ERR];
	c->v[RX_DROPPED] += rx[XDP_TX_ERR];
	c->v[TX_PACKETS] += rx[XDP_PACKETS];
	c->v[TX_BYTES] += rx[XDP_BYTES];
	return true;
}

bool net_veth_stats(struct walk *w, const struct module_types *m, uint64_t dev, struct counters *c)
{
	uint64_t dropped, peer, rx[N_RX_PARTS] = {0}, priv = net_private(w, dev);

	if (!module_get(m, priv, "veth_priv", "dropped", &dropped) ||
	    !module_get(m, priv, "veth_priv", "peer", &peer) || !sent(w, dev, c) ||
	    !receive_sums(w, m, dev, rx))
		return false;
	c->v[TX_DROPPED] += dropped + rx[XDP_TX_ERR];
	c->v[RX_DROPPED] += rx[RX_DROPS] + rx[PEER_XMIT_ERR];
	c->v[RX_PACKETS] += rx[XDP_PACKETS];
	c->v[RX_BYTES] += rx[XDP_BYTES];
	c->source = stats_type_is(w, dev, STAT_TSTATS)
			    ? "veth:net_device.tstats+veth_rq.stats, of both ends"
			    : "veth:net_device.lstats+veth_rq.stats, of both ends";
	return !peer || add_peer(w, m, peer, c);
}
