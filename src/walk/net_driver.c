// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters that live in a driver's private structure, read by the driver's own types.
//
// A driver is a row of `drivers`: which structure, and which members of it are added to what, after
// the ndo_get_stats64 of drivers/net (5.11 to 7.2).
#include "src/walk/net_stats.h"

#include "src/base/mem.h"
#include "src/kernel/module_types.h"

#include <string.h>

enum { NETDEV_ALIGN = 32 }; // include/linux/netdevice.h, of kernels without net_device.priv

// Adds elem.field of every element of `array`, a member of the private structure: an array, or a
// pointer to one, of `count` elements; without count a per-CPU pointer.
struct term {
	const char *array, *count, *elem, *field;
	enum counter to;
	bool newer; // older kernels have no such counter and count nothing
};

struct driver {
	const char *driver, *kind; // one of them: device_driver.name, rtnl_link_ops.kind
	const char *module, *type; // the private structure
	const char *speed;	   // its member, or NULL
	const char *source;	   // NULL: counters are generic
	const struct term *terms;
	size_t n_terms;
	bool (*special)(struct walk *w, const struct module_types *m, uint64_t dev,
			struct counters *c);
	unsigned from_device; // bit set of counters to which net_device.stats is added
};

// Terms of one driver each.
#define QUEUES(array, count, elem, field, to)                                                      \
	{                                                                                          \
		array, count, elem, field, to, false                                               \
	}
#define PERCPU(array, elem, field, to)                                                             \
	{                                                                                          \
		array, NULL, elem, field, to, false                                                \
	}

static const struct term virtio_terms[] = {
	QUEUES("sq", "max_queue_pairs", "send_queue", "stats.packets", TX_PACKETS),
	QUEUES("sq", "max_queue_pairs", "send_queue", "stats.bytes", TX_BYTES),
	{"sq", "max_queue_pairs", "send_queue", "stats.tx_timeouts", TX_ERRORS, true}, // 5.17
	QUEUES("rq", "max_queue_pairs", "receive_queue", "stats.packets", RX_PACKETS),
	QUEUES("rq", "max_queue_pairs", "receive_queue", "stats.bytes", RX_BYTES),
	QUEUES("rq", "max_queue_pairs", "receive_queue", "stats.drops", RX_DROPPED),
};

static const struct term xen_terms[] = {
	PERCPU("tx_stats", "netfront_stats", "packets", TX_PACKETS),
	PERCPU("tx_stats", "netfront_stats", "bytes", TX_BYTES),
	PERCPU("rx_stats", "netfront_stats", "packets", RX_PACKETS),
	PERCPU("rx_stats", "netfront_stats", "bytes", RX_BYTES),
};

// The device writes its own counters into the queue descriptors when it is asked to, so these are
// as of the last time that somebody read them.
#define TX_DESC(field, to) QUEUES("tqd_start", "num_tx_queues", "Vmxnet3_TxQueueDesc", field, to)
#define RX_DESC(field, to) QUEUES("rqd_start", "num_rx_queues", "Vmxnet3_RxQueueDesc", field, to)
static const struct term vmxnet3_terms[] = {
	TX_DESC("stats.ucastPktsTxOK", TX_PACKETS),
	TX_DESC("stats.mcastPktsTxOK", TX_PACKETS),
	TX_DESC("stats.bcastPktsTxOK", TX_PACKETS),
	TX_DESC("stats.ucastBytesTxOK", TX_BYTES),
	TX_DESC("stats.mcastBytesTxOK", TX_BYTES),
	TX_DESC("stats.bcastBytesTxOK", TX_BYTES),
	TX_DESC("stats.pktsTxError", TX_ERRORS),
	RX_DESC("stats.ucastPktsRxOK", RX_PACKETS),
	RX_DESC("stats.mcastPktsRxOK", RX_PACKETS),
	RX_DESC("stats.bcastPktsRxOK", RX_PACKETS),
	RX_DESC("stats.ucastBytesRxOK", RX_BYTES),
	RX_DESC("stats.mcastBytesRxOK", RX_BYTES),
	RX_DESC("stats.bcastBytesRxOK", RX_BYTES),
	RX_DESC("stats.pktsRxError", RX_ERRORS),
	QUEUES("tx_queue", "num_tx_queues", "vmxnet3_tx_queue", "stats.drop_total", TX_DROPPED),
	QUEUES("rx_queue", "num_rx_queues", "vmxnet3_rx_queue", "stats.drop_total", RX_DROPPED),
};
#undef TX_DESC
#undef RX_DESC

static const struct term vlan_terms[] = {
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "rx_packets", RX_PACKETS),
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "rx_bytes", RX_BYTES),
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "tx_packets", TX_PACKETS),
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "tx_bytes", TX_BYTES),
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "rx_errors", RX_ERRORS),
	PERCPU("vlan_pcpu_stats", "vlan_pcpu_stats", "tx_dropped", TX_DROPPED),
};

static const struct term macvlan_terms[] = {
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "rx_packets", RX_PACKETS),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "rx_bytes", RX_BYTES),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "tx_packets", TX_PACKETS),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "tx_bytes", TX_BYTES),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "rx_errors", RX_ERRORS),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "rx_errors", RX_DROPPED),
	PERCPU("pcpu_stats", "vlan_pcpu_stats", "tx_dropped", TX_DROPPED),
};

static const struct term ipvlan_terms[] = {
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "rx_pkts", RX_PACKETS),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "rx_bytes", RX_BYTES),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "tx_pkts", TX_PACKETS),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "tx_bytes", TX_BYTES),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "rx_errs", RX_ERRORS),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "rx_errs", RX_DROPPED),
	PERCPU("pcpu_stats", "ipvl_pcpu_stats", "tx_drps", TX_DROPPED),
};

static const struct term team_terms[] = {
	PERCPU("pcpu_stats", "team_pcpu_stats", "rx_packets", RX_PACKETS),
	PERCPU("pcpu_stats", "team_pcpu_stats", "rx_bytes", RX_BYTES),
	PERCPU("pcpu_stats", "team_pcpu_stats", "tx_packets", TX_PACKETS),
	PERCPU("pcpu_stats", "team_pcpu_stats", "tx_bytes", TX_BYTES),
	PERCPU("pcpu_stats", "team_pcpu_stats", "rx_dropped", RX_DROPPED),
	PERCPU("pcpu_stats", "team_pcpu_stats", "tx_dropped", TX_DROPPED),
};

// Until 5.11, beside net_device.stats; net_device.tstats since.
static const struct term bridge_terms[] = {
	PERCPU("stats", "pcpu_sw_netstats", "rx_packets", RX_PACKETS),
	PERCPU("stats", "pcpu_sw_netstats", "rx_bytes", RX_BYTES),
	PERCPU("stats", "pcpu_sw_netstats", "tx_packets", TX_PACKETS),
	PERCPU("stats", "pcpu_sw_netstats", "tx_bytes", TX_BYTES),
};
#undef QUEUES
#undef PERCPU

#define TERMS(t) .terms = (t), .n_terms = sizeof(t) / sizeof((t)[0])
static const struct driver drivers[] = {
	{.driver = "virtio_net",
	 .module = "virtio_net",
	 .type = "virtnet_info",
	 .speed = "speed",
	 .source = "virtio_net:send_queue.stats+receive_queue.stats",
	 TERMS(virtio_terms),
	 .from_device = 1 << TX_DROPPED},
	{.driver = "vif",
	 .module = "xen_netfront",
	 .type = "netfront_info",
	 .source = "xen-netfront:netfront_info.rx_stats+tx_stats",
	 TERMS(xen_terms),
	 .from_device = 1 << RX_ERRORS | 1 << TX_DROPPED},
	{.driver = "vmxnet3",
	 .module = "vmxnet3",
	 .type = "vmxnet3_adapter",
	 .speed = "link_speed",
	 .source = "vmxnet3:UPT1_TxStats+UPT1_RxStats",
	 TERMS(vmxnet3_terms)},
	{.driver = "e1000", .module = "e1000", .type = "e1000_adapter", .speed = "link_speed"},
	{.kind = "veth",
	 .module = "veth",
	 .type = "veth_priv",
	 .special = net_veth_stats,
	 .source = "veth"},
	{.kind = "vlan",
	 .module = "8021q",
	 .type = "vlan_dev_priv",
	 TERMS(vlan_terms),
	 .source = "8021q:vlan_pcpu_stats"},
	{.kind = "macvlan",
	 .module = "macvlan",
	 .type = "macvlan_dev",
	 TERMS(macvlan_terms),
	 .source = "macvlan:vlan_pcpu_stats"},
	{.kind = "macvtap",
	 .module = "macvlan",
	 .type = "macvlan_dev",
	 TERMS(macvlan_terms),
	 .source = "macvlan:vlan_pcpu_stats"},
	{.kind = "ipvlan",
	 .module = "ipvlan",
	 .type = "ipvl_dev",
	 TERMS(ipvlan_terms),
	 .from_device = 1 << TX_ERRORS,
	 .source = "ipvlan:ipvl_pcpu_stats"},
	{.kind = "team",
	 .module = "team",
	 .type = "team",
	 TERMS(team_terms),
	 .source = "team:team_pcpu_stats"},
	{.kind = "tun",
	 .module = "tun",
	 .type = "tun_struct",
	 .speed = "link_ksettings.base.speed"},
	{.kind = "bridge",
	 .module = "bridge",
	 .type = "net_bridge",
	 TERMS(bridge_terms),
	 .from_device = (1 << N_COUNTERS) - 1,
	 .source = "bridge:net_device.stats+net_bridge.stats"},
};
#undef TERMS
enum { N_DRIVERS = sizeof(drivers) / sizeof(drivers[0]) };

struct net_drivers {
	struct module_types *types[N_DRIVERS];
	bool tried[N_DRIVERS];
};

struct net_drivers *net_drivers_new(void)
{
	return mem_zalloc(1, sizeof(struct net_drivers));
}

void net_drivers_free(struct net_drivers *d)
{
	for (size_t i = 0; i < N_DRIVERS; i++)
		module_types_close(d->types[i]);
	mem_free(d);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static const struct driver *find_driver(const struct stats_of *of)
{
	for (const struct driver *d = drivers; d < drivers + N_DRIVERS; d++)
		if (same(d->driver, of->driver) || same(d->kind, of->kind))
			return d;
	return NULL;
}

static const struct module_types *types_of(struct walk *w, struct net_drivers *nd,
					   const struct driver *d)
{
	size_t i = (size_t)(d - drivers);

	if (!nd->tried[i])
		nd->types[i] = module_types_open(w->k, d->module, d->type);
	nd->tried[i] = true;
	return nd->types[i];
}

uint64_t net_private(struct walk *w, uint64_t dev)
{
	if (k_has(w->k, F(net_device, priv)))
		return k_field_va(w->k, dev, F(net_device, priv));
	uint64_t size = k_sizeof(w->k, "net_device");
	return size ? dev + ((size + NETDEV_ALIGN - 1) & ~(uint64_t)(NETDEV_ALIGN - 1)) : 0;
}

// --- terms ---

static bool add_percpu(struct walk *w, const struct module_types *m, const struct term *t,
		       uint64_t ptr, uint64_t *v)
{
	size_t width = module_width(m, t->elem, t->field);
	int64_t sum;

	if (width == 0 || !k_percpu_sum(w->k, module_va(m, ptr, t->elem, t->field), 0, width, &sum))
		return false;
	*v += width == 4 ? (uint32_t)sum : (uint64_t)sum; // the kernel adds those up in 32 bits
	return true;
}

static bool add_elements(const struct module_types *m, const struct term *t, uint64_t array,
			 uint64_t n, uint64_t *v)
{
	uint64_t size = module_sizeof(m, t->elem), one;

	if (size == 0 || n > NET_MAX_QUEUES)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!module_get(m, array + i * size, t->elem, t->field, &one))
			return false;
		*v += one;
	}
	return true;
}

static bool add_term(struct walk *w, const struct module_types *m, const struct driver *d,
		     const struct term *t, uint64_t priv, struct counters *c)
{
	uint64_t n, array;

	if (t->newer && module_width(m, t->elem, t->field) == 0)
		return true;
	if (module_width(m, d->type, t->array) != w->k->word) // not behind a pointer
		array = module_va(m, priv, d->type, t->array);
	else if (!module_get(m, priv, d->type, t->array, &array))
		return false;
	if (!t->count)
		return add_percpu(w, m, t, array, &c->v[t->to]);
	return array && module_get(m, priv, d->type, t->count, &n) &&
	       add_elements(m, t, array, n, &c->v[t->to]);
}

static bool add_terms(struct walk *w, const struct module_types *m, const struct driver *d,
		      uint64_t dev, struct counters *c)
{
	uint64_t priv = net_private(w, dev);

	for (size_t i = 0; i < d->n_terms; i++)
		if (!add_term(w, m, d, &d->terms[i], priv, c))
			return false;
	return true;
}

static bool add_from_device(struct walk *w, const struct driver *d, uint64_t dev,
			    struct counters *c)
{
	struct counters all = {0};

	if (d->from_device && !stats_add_device(w, dev, &all))
		return false;
	for (size_t i = 0; i < N_COUNTERS; i++)
		c->v[i] += d->from_device >> i & 1 ? all.v[i] : 0;
	return true;
}

bool stats_of_driver(struct walk *w, struct net_drivers *nd, const struct stats_of *of,
		     struct counters *c, const char **why)
{
	const struct driver *d = find_driver(of);
	uint64_t dev = of->dev->addr;

	*c = (struct counters){0};
	*why = "its driver keeps them in a place that is not known";
	if (!d || !d->source)
		return false;
	const struct module_types *m = types_of(w, nd, d);
	*why = "the types of its driver are not in memory";
	if (!m)
		return false;
	c->source = d->source;
	*why = "its driver's structures can't be read";
	return (d->special ? d->special(w, m, dev, c) : add_terms(w, m, d, dev, c)) &&
	       add_from_device(w, d, dev, c) && stats_add_core(w, dev, c);
}

struct opt_int speed_of_driver(struct walk *w, struct net_drivers *nd, const struct stats_of *of)
{
	const struct driver *d = find_driver(of);
	const struct module_types *m = d && d->speed ? types_of(w, nd, d) : NULL;
	uint64_t speed;

	if (!m || !module_get(m, net_private(w, of->dev->addr), d->type, d->speed, &speed))
		return (struct opt_int){0};
	// SPEED_UNKNOWN is -1 in 32 bits, e1000 has 16; 0 is a link that was never up
	if (speed == 0 || speed >= UINT16_MAX * (uint64_t)100 || speed == UINT16_MAX)
		return (struct opt_int){0};
	return some_int((int64_t)speed);
}
