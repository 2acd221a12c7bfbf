// SPDX-License-Identifier: LGPL-2.1-or-later
// Counters in a driver's own structures, by the BTF that the kernel keeps of the driver's module.
#include "src/kernel/module_types.h"
#include "src/walk/net_stats.h"
#include "tests/unit/btf_builder.h"
#include "tests/unit/net_guest.h"

#include <criterion/criterion.h>

#include <string.h>

static struct net_guest t;
static struct btf_builder base, split;
static struct btf *base_btf;
static uint64_t modules, priv, entry, data_of;
static struct netdev dev = {.name = "eth0"};
static const struct stats_of virtio = {.dev = &dev, .driver = "virtio_net"};

// The members that virtnet_stats() of drivers/net/virtio_net.c adds up, in places of our own.
static void build_types(void)
{
	uint32_t u64, u32, u16, stats, queue, pointer;

	u64 = bb_int(&base, "u64", 8, 64, false);
	u32 = bb_int(&base, "u32", 4, 32, false);
	u16 = bb_int(&base, "u16", 2, 16, false);
	base_btf = bb_open(&base, NULL);
	split.first_id = base.n + 1;
	split.first_str = (uint32_t)base.strs.n;
	stats = bb_struct(&split, "queue_stats", 24, 3);
	bb_member(&split, "packets", u64, 0);
	bb_member(&split, "bytes", u64, 64);
	bb_member(&split, "drops", u64, 128);
	queue = bb_struct(&split, "send_queue", 40, 1);
	bb_member(&split, "stats", stats, 64);
	bb_struct(&split, "receive_queue", 40, 1);
	bb_member(&split, "stats", stats, 128);
	pointer = bb_ref(&split, PTR, NULL, queue);
	bb_struct(&split, "virtnet_info", 64, 4);
	bb_member(&split, "rq", pointer, 0);
	bb_member(&split, "sq", pointer, 64);
	bb_member(&split, "max_queue_pairs", u16, 128);
	bb_member(&split, "speed", u32, 160);
}

// An entry of btf_modules with this BTF.
static void add_module(const char *name, const void *bytes, size_t n)
{
	uint64_t btf = guest_alloc(t.g, 4096);

	entry = guest_alloc(t.g, 4096);
	data_of = guest_alloc(t.g, n);
	guest_put(t.g, data_of, bytes, n);
	net_set(&t, entry, F(btf_module, btf), btf);
	net_set(&t, btf, F(btf, data), data_of);
	net_set(&t, btf, F(btf, data_size), n);
	net_set_bytes(&t, btf, F(btf, name), name, strlen(name) + 1);
	net_ring_add(&t, modules, net_field(&t, entry, F(btf_module, list)));
}

static void setup(void)
{
	size_t n;

	net_guest_init(&t);
	guest_struct(t.g, "btf_module");
	guest_struct(t.g, "btf");
	guest_place(t.g, F(btf, name), 0x100, 56);
	modules = guest_alloc(t.g, 64);
	net_ring(&t, modules);
	t.g->k.symbol[S(btf_modules)] = modules;
	build_types();
	t.g->k.btf = t.g->k.image_btf = base_btf;
	add_module("veth", "no BTF", 6);
	const void *bytes = bb_image(&split, &n);
	add_module("virtio_net", bytes, n);
	dev.addr = guest_alloc(t.g, 4096);
	priv = net_field(&t, dev.addr, F(net_device, priv));
}

static void teardown(void)
{
	btf_close(base_btf);
	bb_fini(&base);
	bb_fini(&split);
	net_guest_fini(&t);
}

TestSuite(net_driver, .init = setup, .fini = teardown);

// Two queues each way.
static void fill_queues(void)
{
	uint64_t queues = guest_alloc(t.g, 4096);

	put_u64(t.g, priv, queues);
	put_u64(t.g, priv + 8, queues + 1024);
	put_u64(t.g, priv + 16, 2);
	for (uint64_t i = 0; i < 2; i++) {
		put_u64(t.g, queues + i * 40 + 16, 10 + i);	      // rx packets
		put_u64(t.g, queues + i * 40 + 24, 1000);	      // rx bytes
		put_u64(t.g, queues + i * 40 + 32, i);		      // rx drops
		put_u64(t.g, queues + 1024 + i * 40 + 8, 100);	      // tx packets
		put_u64(t.g, queues + 1024 + i * 40 + 16, 10000 + i); // tx bytes
	}
}

static bool counters(struct counters *c, const char **why)
{
	struct net_drivers *d = net_drivers_new();
	bool ok = stats_of_driver(&t.w, d, &virtio, c, why);

	net_drivers_free(d);
	return ok;
}

Test(net_driver, queues_are_added_up)
{
	struct counters c;
	const char *why;

	fill_queues();
	net_set(&t, dev.addr, F(net_device, stats_tx_dropped), 7);
	net_set(&t, dev.addr, F(net_device, stats_rx_packets),
		1000); // not one that virtio_net uses
	cr_assert(counters(&c, &why), "%s", why);
	cr_assert_eq(c.v[RX_PACKETS], 21);
	cr_assert_eq(c.v[RX_BYTES], 2000);
	cr_assert_eq(c.v[RX_DROPPED], 1);
	cr_assert_eq(c.v[TX_PACKETS], 200);
	cr_assert_eq(c.v[TX_BYTES], 20001);
	cr_assert_eq(c.v[TX_DROPPED], 7);
	cr_assert_eq(c.v[TX_ERRORS], 0); // before 5.17 there is no such counter
	cr_assert_not_null(strstr(c.source, "virtio_net:"));
}

Test(net_driver, more_queues_than_can_be)
{
	struct counters c;
	const char *why = "";

	fill_queues();
	put_u64(t.g, priv + 16, NET_MAX_QUEUES + 1);
	cr_assert_not(counters(&c, &why));
	cr_assert_not_null(strstr(why, "can't be read"));
}

Test(net_driver, queues_that_are_not_there)
{
	struct counters c;
	const char *why = "";

	fill_queues();
	put_u64(t.g, priv, NET_NOWHERE);
	cr_assert_not(counters(&c, &why));
	put_u64(t.g, priv, 0);
	cr_assert_not(counters(&c, &why));
}

static void no_types(void)
{
	struct counters c;
	const char *why = "";

	cr_assert_not(counters(&c, &why));
	cr_assert_not_null(strstr(why, "types"), "%s", why);
}

Test(net_driver, types_that_are_not_there)
{
	uint64_t btf;

	cr_assert(k_get(&t.g->k, entry, F(btf_module, btf), &btf));
	net_set(&t, btf, F(btf, data_size), 1ULL << 40);
	no_types();
	net_set(&t, btf, F(btf, data_size), 8);
	no_types();
	net_set(&t, btf, F(btf, data_size), 4096);
	net_set(&t, btf, F(btf, data), NET_NOWHERE);
	no_types();
	net_set(&t, btf, F(btf, data), modules); // something that is no BTF
	no_types();
	net_set(&t, entry, F(btf_module, btf), 0);
	no_types();
	t.g->k.symbol[S(btf_modules)] = 0;
	no_types();
}

Test(net_driver, types_of_a_driver_that_is_built_in)
{
	struct module_types *m = module_types_open(&t.g->k, "nowhere", "queue_stats");
	uint64_t v = 0, at = guest_alloc(t.g, 64);

	cr_assert_null(m); // the kernel's own BTF does not have it
	m = module_types_open(&t.g->k, "virtio_net", "queue_stats");
	cr_assert_not_null(m);
	put_u64(t.g, at + 8, 42);
	cr_assert(module_get(m, at, "queue_stats", "bytes", &v));
	cr_assert_eq(v, 42);
	cr_assert_not(module_get(m, at, "queue_stats", "no_such", &v));
	cr_assert_not(module_get(m, 0, "queue_stats", "bytes", &v));
	cr_assert_not(module_get(m, at, "send_queue", "stats", &v)); // 24 bytes
	cr_assert_eq(module_va(m, at, "send_queue", "stats.drops"), at + 24);
	cr_assert_eq(module_va(m, at, "send_queue", "drops"), 0);
	cr_assert_eq(module_width(m, "virtnet_info", "max_queue_pairs"), 2);
	cr_assert_eq(module_sizeof(m, "virtnet_info"), 64);
	cr_assert_eq(module_sizeof(m, "u8"), 0);
	module_types_close(m);
	module_types_close(NULL);
}

Test(net_driver, speeds_that_are_known)
{
	static const struct {
		uint64_t kept;
		int64_t said;
	} cases[] = {{10000, 10000}, {400000, 400000}, {0xffffffff, 0}, {0, 0}, {0xffff, 0}};
	struct net_drivers *d = net_drivers_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_u32(t.g, priv + 20, (uint32_t)cases[i].kept);
		struct opt_int speed = speed_of_driver(&t.w, d, &virtio);
		cr_assert_eq(speed.set, cases[i].said != 0, "%zu", i);
		cr_assert_eq(speed.v, cases[i].said, "%zu", i);
	}
	net_drivers_free(d);
}

Test(net_driver, an_unknown_driver_has_neither)
{
	struct net_drivers *d = net_drivers_new();
	const struct stats_of of = {.dev = &dev, .driver = "tulip", .kind = NULL};
	struct counters c;
	const char *why = "";

	cr_assert_not(stats_of_driver(&t.w, d, &of, &c, &why));
	cr_assert_not_null(strstr(why, "not known"));
	cr_assert_not(speed_of_driver(&t.w, d, &of).set);
	net_drivers_free(d);
}
