// SPDX-License-Identifier: LGPL-2.1-or-later
// arp_cache: the tables of neighbours, one a protocol for all network namespaces. No symbol is
// needed: a device's parameters for a protocol point to its table.
#include "src/walk/net.h"

#include "src/walk/net_devices.h"
#include "src/walk/net_text.h"

enum {
	MAX_TABLES = 8, // of protocols
	MAX_SHIFT = 20, // of buckets
	MAX_NEIGHBOURS = 1 << 20,
	MAX_HARDWARE_ADDRESS = 32, // MAX_ADDR_LEN, include/linux/netdevice.h
};

// include/uapi/linux/neighbour.h
enum {
	NUD_INCOMPLETE = 0x01,
	NUD_FAILED = 0x20,
	NUD_PERMANENT = 0x80,
};

struct context {
	struct walk *w;
	struct netdevs devs;
	uint64_t tables[MAX_TABLES];
	size_t n_tables;
	uint64_t budget; // neighbours that may still come
};

static const char *state_name(uint64_t state)
{
	static const char *const names[] = {"incomplete", "reachable", "stale", "delay",
					    "probe",	  "failed",    "noarp", "permanent"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (state >> i & 1)
			return names[i];
	return "none";
}

static struct opt_text hardware_address(struct walk *w, const struct netdev *dev, uint64_t n,
					uint64_t state)
{
	uint8_t bytes[MAX_HARDWARE_ADDRESS];
	uint64_t length = k_or0(w->k, dev->addr, F(net_device, addr_len));

	if (state == 0 || state & (NUD_INCOMPLETE | NUD_FAILED) || length == 0 ||
	    length > sizeof(bytes) || k_bytes(w->k, n, F(neighbour, ha), bytes, length) != length)
		return (struct opt_text){0};
	return mac_text(w, bytes, length);
}

static struct opt_text protocol_address(struct walk *w, uint64_t family, uint64_t n)
{
	uint8_t key[16];
	uint64_t at = k_field_va(w->k, n, F(neighbour, primary_key));

	if (!k_read(w->k, at, key, family == KAF_INET6 ? 16 : 4))
		return (struct opt_text){0};
	return ip_text(w, family, key);
}

static void emit(const struct context *c, uint64_t family, uint64_t n)
{
	struct walk *w = c->w;
	const struct netdev *dev = netdevs_by_addr(&c->devs, k_or0(w->k, n, F(neighbour, dev)));
	struct row_arp_cache row = {
		.address = protocol_address(w, family, n),
		.family = some_int((int64_t)family),
		.neighbour_addr = some_addr(n),
	};
	uint64_t state;

	if (dev) {
		row.interface = some_text(dev->name);
		row.net_namespace = netns_text(w, &c->devs.nets, dev->net);
		row.device_addr = some_addr(dev->addr);
	}
	if (k_get(w->k, n, F(neighbour, nud_state), &state)) {
		row.state = some_text(state_name(state));
		row.permanent = some_text(state & NUD_PERMANENT ? "1" : "0");
		if (dev)
			row.mac = hardware_address(w, dev, n, state);
	}
	WALK_EMIT(w, arp_cache, &row);
}

// Neighbours hang in their bucket by `next`, since 6.13 by a node.
static void walk_bucket(struct context *c, uint64_t family, uint64_t first)
{
	struct kernel *k = c->w->k;
	bool is_node = k_has(k, F(neighbour, hash));
	uint64_t at, n;
	struct chain_iter it;

	chain_begin(&it, k, first, is_node ? 0 : k->field[F(neighbour, next)].off, c->budget);
	while (chain_next(&it, &at)) {
		n = is_node ? k_container(k, at, F(neighbour, hash)) : at;
		if (!k_or0(k, n, F(neighbour, dead)))
			emit(c, family, n);
		c->budget--;
	}
	walk_check_end(c->w, TABLE_arp_cache, 0, first, it.end, "a chain of neighbours");
}

static void walk_table(struct context *c, uint64_t table)
{
	struct kernel *k = c->w->k;
	uint64_t nht = k_or0(k, table, F(neigh_table, nht)), first;
	uint64_t buckets = k_or0(k, nht, F(neigh_hash_table, hash_buckets));
	uint64_t shift = k_or0(k, nht, F(neigh_hash_table, hash_shift));
	uint64_t family = k_or0(k, table, F(neigh_table, family));

	if ((family != KAF_INET && family != KAF_INET6) || !buckets || shift > MAX_SHIFT) {
		walk_problem(c->w, ERROR, TABLE_arp_cache, 0, table,
			     "a table of neighbours that can't be one");
		return;
	}
	for (uint64_t i = 0; i < 1ULL << shift && c->budget; i++) {
		if (!k_ptr(k, buckets + i * k->word, &first)) {
			walk_problem(c->w, ERROR, TABLE_arp_cache, 0, table,
				     "the buckets of a table of neighbours can't be read");
			return;
		}
		if (first)
			walk_bucket(c, family, first);
	}
}

static void add_table(struct context *c, uint64_t parms)
{
	uint64_t table = k_or0(c->w->k, parms, F(neigh_parms, tbl));

	for (size_t i = 0; i < c->n_tables; i++)
		if (c->tables[i] == table)
			return;
	if (table && c->n_tables < MAX_TABLES)
		c->tables[c->n_tables++] = table;
}

static void find_tables(struct context *c)
{
	struct kernel *k = c->w->k;
	const struct netdev *dev;

	vec_foreach (dev, &c->devs.all) {
		uint64_t v4 = k_or0(k, dev->addr, F(net_device, ip_ptr));
		uint64_t v6 = k_or0(k, dev->addr, F(net_device, ip6_ptr));
		add_table(c, k_or0(k, v4, F(in_device, arp_parms)));
		add_table(c, k_or0(k, v6, F(inet6_dev, nd_parms)));
	}
}

static void run(struct walk *w)
{
	struct context c = {.w = w, .budget = MAX_NEIGHBOURS};

	netdevs_find(w, TABLE_arp_cache, &c.devs);
	find_tables(&c);
	if (c.n_tables == 0)
		walk_unavailable(w, TABLE_arp_cache,
				 "no network device leads to a table of neighbours");
	for (size_t i = 0; i < c.n_tables; i++)
		walk_table(&c, c.tables[i]);
	netdevs_fini(&c.devs);
}

const struct extractor walk_net_neighbour = {
	.name = "net_neighbour",
	.tables = {TABLE_arp_cache},
	.n_tables = 1,
	.needs = {F(net, dev_base_head), F(net, list), F(net_device, dev_list),
		  F(in_device, arp_parms), F(neigh_parms, tbl), F(neigh_table, nht),
		  F(neigh_hash_table, hash_buckets), F(neighbour, primary_key), F(neighbour, dev)},
	.n_needs = 9,
	.run = run,
};
