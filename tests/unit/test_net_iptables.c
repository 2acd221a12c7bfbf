// SPDX-License-Identifier: LGPL-2.1-or-later
// Rules of iptables in a made-up kernel: what no guest of ours has, and what none should have.
#include "src/walk/net.h"
#include "src/walk/net_xtables.h"
#include "tests/unit/btf_builder.h"
#include "tests/unit/net_guest.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

// Places of machines of 64 bits: src/walk/net_xtables.c.
enum { INFO_HOOKS = 12, INFO_UNDERFLOW = 32, INFO_ENTRIES = 64, TABLE_NAME = 56, NAME = 16 };
enum { INPUT = 1, LISTS = 13, ROOM = 8192 };
enum { ACCEPT = -2, DROP = -1, RETURN = -5 };

static struct net_guest t;
static struct btf_builder types; // none of x_tables
static struct btf *btf;
static uint64_t net, lists, table, info;
static uint64_t standard, error, reject, tcp, udp; // struct xt_target and xt_match
static uint32_t at, number;			   // of the table under way

static uint64_t new_extension(const char *name)
{
	uint64_t extension = guest_alloc(t.g, 256);

	guest_put(t.g, extension + NAME, name, strlen(name) + 1);
	return extension;
}

static void make_lists(void)
{
	lists = guest_alloc(t.g, 512);
	for (uint64_t i = 0; i < LISTS; i++)
		net_ring(&t, lists + i * 16);
}

static void make_table(void)
{
	table = guest_alloc(t.g, 256);
	info = guest_alloc(t.g, ROOM);
	net_ring_add(&t, lists + 2 * 16, table);
	put_u32(t.g, table + 16, 1 << INPUT);
	put_u64(t.g, table + 24, info);
	guest_put(t.g, table + TABLE_NAME, "filter", 7);
	at = number = 0;
}

static void setup(void)
{
	net_guest_init(&t);
	types = (struct btf_builder){0};
	(void)bb_int(&types, "u64", 8, 64, false);
	t.g->k.btf = btf = bb_open(&types, NULL);
	uint64_t nsproxy = guest_alloc(t.g, 4096);
	t.g->k.init_task = guest_alloc(t.g, 8192);
	net = net_guest_netns(&t, NET_INUM);
	net_set(&t, t.g->k.init_task, F(task_struct, nsproxy), nsproxy);
	net_set(&t, nsproxy, F(nsproxy, net_ns), net);
	net_ring(&t, net_field(&t, net, F(net, list)));
	guest_place(t.g, F(net, xt_tables), 0xc00, 8);
	lists = net_field(&t, net, F(net, xt_tables));
	for (uint64_t i = 0; i < LISTS; i++)
		net_ring(&t, lists + i * 16);
	t.g->k.percpu_offset = mem_zalloc(3, sizeof(uint64_t));
	t.g->k.n_cpus = 1;
	standard = new_extension("");
	error = new_extension("ERROR");
	reject = new_extension("REJECT");
	tcp = new_extension("tcp");
	udp = new_extension("udp");
	make_table();
}

static void teardown(void)
{
	btf_close(btf);
	bb_fini(&types);
	net_guest_fini(&t);
}

TestSuite(net_iptables, .init = setup, .fini = teardown);

// --- a table, rule after rule ---

static uint64_t rule_va(void)
{
	return info + INFO_ENTRIES + at;
}

static void put_u16(uint64_t va, unsigned v)
{
	uint8_t bytes[2] = {(uint8_t)v, (uint8_t)(v >> 8)};

	guest_put(t.g, va, bytes, 2);
}

// A rule with that much of matches, which ends in a target of `data` bytes.
static uint64_t add_rule(unsigned matches, uint64_t target, const void *data, unsigned n)
{
	uint64_t va = rule_va();
	unsigned target_at = 112 + matches, size = target_at + 32 + n;

	put_u16(va + 88, target_at);
	put_u16(va + 90, size);
	put_u64(t.g, va + 96, 3);
	put_u64(t.g, va + 104, 300);
	put_u16(va + target_at, 32 + n);
	put_u64(t.g, va + target_at + 8, target);
	guest_put(t.g, va + target_at + 32, data, n);
	at += size;
	number++;
	return va;
}

static uint64_t add_verdict(int verdict)
{
	int64_t data = (uint32_t)verdict;

	return add_rule(0, standard, &data, 8);
}

static void begin_chain(const char *name)
{
	char bytes[32] = "";

	(void)strncpy(bytes, name, 30);
	(void)add_rule(0, error, bytes, sizeof(bytes));
}

static void end_hook(void)
{
	put_u32(t.g, info + INFO_UNDERFLOW + 4 * INPUT, at);
	(void)add_verdict(ACCEPT);
}

static void run(void)
{
	put_u32(t.g, info, at);
	put_u32(t.g, info + 4, number);
	walk_net_iptables.run(&t.w);
}

static void expect_partial(const char *part)
{
	cr_expect(row_log_problem(&t.log, TABLE_iptables, part), "%s", row_log_problems(&t.log));
	cr_expect(t.w.cover[TABLE_iptables].partial);
}

// --- what a rule says ---

static void put_match(uint64_t va, uint64_t match, const void *data, unsigned n)
{
	put_u16(va, 32 + n);
	put_u64(t.g, va + 8, match);
	guest_put(t.g, va + 32, data, n);
}

Test(net_iptables, what_is_negated)
{
	static const uint8_t ports[16] = {1, 0, 2, 0, 80, 0, 81, 0, 0, 0, 0, 2};
	uint64_t va = add_rule(48, reject, "", 0);

	guest_put(t.g, va, "\x0a\0\0\1\x0a\0\0\2\xff\xff\xff\xff\xff\xff\0\0", 16);
	guest_put(t.g, va + 16, "eth+", 4);
	guest_put(t.g, va + 32, "0123456789abcdef", 16);
	guest_put(t.g, va + 48, "\xff\xff\xff", 3);
	guest_put(t.g, va + 64, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		  16);
	guest_put(t.g, va + 80, "\6\0\1\x5b", 4);
	put_match(va + 112, tcp, ports, sizeof(ports));
	end_hook();
	run();
	cr_expect(net_has_row(&t, TABLE_iptables, "filter_name", "filter", "chain", "INPUT", "rule",
			      "1", "policy", "ACCEPT", "target", "REJECT", "match", "yes",
			      "matches", "tcp", "protocol", "6", "src_port", "1:2", "dst_port",
			      "!80:81", "src_ip", "!10.0.0.1", "src_mask", "255.255.255.255",
			      "dst_ip", "!10.0.0.2", "dst_mask", "255.255.0.0", "iniface", "!eth+",
			      "iniface_mask", "FFFFFF", "outiface", "!0123456789abcdef",
			      "outiface_mask", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "flags", "1",
			      "invflags", "91", "packets", "3", "bytes", "300", NULL),
		  "%s", row_log_problems(&t.log));
	cr_expect(net_has_row(&t, TABLE_iptables, "chain", "INPUT", "rule", NULL, "policy",
			      "ACCEPT", "target", NULL, "src_ip", NULL, "match", NULL, "packets",
			      "3", NULL));
	cr_expect_eq(t.log.n[TABLE_iptables], 2);
	cr_expect_eq(t.log.n[TABLE_problems], 0, "%s", row_log_problems(&t.log));
}

Test(net_iptables, several_matches)
{
	static const uint8_t ports[16] = {1, 0, 2, 0, 0, 0, 0xff, 0xff, 1};
	uint64_t va = add_rule(32 + 48, standard, "\xfc\xff\xff\xff", 4);

	put_match(va + 112, new_extension("a_name_of_twenty-nine_letters"), "", 0);
	put_match(va + 144, udp, ports, sizeof(ports));
	end_hook();
	run();
	cr_expect(net_has_row(&t, TABLE_iptables, "matches", "a_name_of_twenty-nine_letters,udp",
			      "src_port", "!1:2", "dst_port", "0:65535", "target", "QUEUE",
			      "iniface", "all", NULL),
		  "%s", row_log_problems(&t.log));
}

Test(net_iptables, jumps)
{
	uint64_t first = add_verdict(0), on = add_verdict((int)at + 152);

	(void)add_verdict(RETURN);
	end_hook();
	begin_chain("of the user's");
	put_u32(t.g, first + 144, at);
	(void)add_verdict(RETURN);
	begin_chain("empty");
	(void)add_verdict(RETURN);
	begin_chain("ERROR");
	run();
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "1", "target", "of the user's", NULL));
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "2", "target", NULL, NULL), "%#lx", on);
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "3", "target", "RETURN", NULL));
	cr_expect(net_has_row(&t, TABLE_iptables, "chain", "of the user's", "policy", NULL, NULL));
	cr_expect(net_has_row(&t, TABLE_iptables, "chain", "empty", NULL));
	cr_expect_eq(t.log.n[TABLE_iptables], 6);
	cr_expect_eq(t.log.n[TABLE_problems], 0, "%s", row_log_problems(&t.log));
}

Test(net_iptables, counters_of_every_cpu)
{
	uint64_t areas = guest_alloc(t.g, 8192);

	t.g->k.n_cpus = 3; // the second is not there
	t.g->k.percpu_offset[0] = areas - 0x1000;
	t.g->k.percpu_offset[2] = areas + 4096 - 0x1000;
	put_u64(t.g, areas, 40);
	put_u64(t.g, areas + 4096, 2);
	put_u64(t.g, areas + 8, 1000);
	put_u64(t.g, rule_va() + 96, 0x1000);
	end_hook();
	put_u64(t.g, info + INFO_ENTRIES + 96, 0x1000);
	run();
	cr_expect(net_has_row(&t, TABLE_iptables, "packets", "42", "bytes", "1000", NULL), "%s",
		  row_log_problems(&t.log));
}

// --- where tables hang ---

// As since 5.13: the lists are the data of a module.
static uint64_t make_slots(void)
{
	uint64_t gen = guest_alloc(t.g, 512), ptr, odd = guest_alloc(t.g, 512);

	guest_unplace(t.g, F(net, xt_tables));
	guest_struct(t.g, "net_generic");
	net_set(&t, net, F(net, gen), gen);
	net_set(&t, gen, F(net_generic, len), 6);
	ptr = net_field(&t, gen, F(net_generic, ptr));
	net_ring(&t, odd); // one ring is not enough
	put_u64(t.g, ptr + 16, 0x1234);
	put_u64(t.g, ptr + 24, NET_NOWHERE);
	put_u64(t.g, ptr + 32, odd);
	return ptr + 40;
}

Test(net_iptables, lists_that_no_module_has_made)
{
	put_links(t.g, lists, 0, 0);
	run();
	cr_expect_eq(t.log.n[TABLE_iptables], 0);
	cr_expect_eq(t.log.n[TABLE_problems], 0, "%s", row_log_problems(&t.log));
}

Test(net_iptables, lists_of_a_module)
{
	uint64_t slot = make_slots();

	make_lists();
	make_table();
	put_u64(t.g, slot, lists);
	end_hook();
	run();
	cr_expect_eq(t.log.n[TABLE_iptables], 1);
	cr_expect_eq(t.log.n[TABLE_problems], 0, "%s", row_log_problems(&t.log));
}

Test(net_iptables, no_module)
{
	(void)make_slots();
	run();
	cr_expect_eq(t.log.n[TABLE_iptables], 0);
	cr_expect_eq(t.log.n[TABLE_problems], 0, "%s", row_log_problems(&t.log));
	cr_expect_not(t.w.cover[TABLE_iptables].unavailable);
}

// A second namespace, whose slots are `gen`.
static void add_namespace(uint64_t gen)
{
	uint64_t other = net_guest_netns(&t, 7);

	net_ring_add(&t, net_field(&t, net, F(net, list)), net_field(&t, other, F(net, list)));
	net_set(&t, other, F(net, gen), gen);
	make_lists();
}

Test(net_iptables, lists_that_another_namespace_has)
{
	uint64_t slot = make_slots(), gen = guest_alloc(t.g, 512);

	net_set(&t, gen, F(net_generic, len), 3);
	add_namespace(gen);
	put_u64(t.g, slot, lists);
	run();
	expect_partial("has no lists");
}

Test(net_iptables, a_namespace_without_slots)
{
	uint64_t slot = make_slots();

	add_namespace(0);
	put_u64(t.g, slot, lists);
	run();
	expect_partial("can't be found");
}

Test(net_iptables, a_kernel_without_either)
{
	guest_unplace(t.g, F(net, xt_tables));
	run();
	cr_expect(t.w.cover[TABLE_iptables].unavailable);
}

// --- lies ---

Test(net_iptables, tables_in_a_circle)
{
	end_hook();
	put_u64(t.g, table, table);
	run();
	expect_partial("a list of tables of rules");
	cr_expect_eq(t.log.n[TABLE_iptables], 1); // a table is read once
}

Test(net_iptables, a_table_that_is_nowhere)
{
	put_u64(t.g, table + 24, NET_NOWHERE);
	run();
	expect_partial("it can't be read");
	cr_expect_eq(t.log.n[TABLE_iptables], 0);
}

Test(net_iptables, rules_without_length)
{
	uint64_t va = add_verdict(DROP);

	end_hook();
	put_u16(va + 90, 0);
	run();
	expect_partial("lie outside");
	cr_expect_eq(t.log.n[TABLE_iptables], 0);
}

Test(net_iptables, parts_outside_of_a_rule)
{
	static const unsigned targets[] = {0, 111, 121, 0xffff};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		uint64_t va = add_verdict(DROP);
		put_u16(va + 88, targets[i]);
		run();
		expect_partial("lie outside");
		cr_expect_eq(t.log.n[TABLE_iptables], 0);
		teardown();
		setup();
	}
}

Test(net_iptables, a_table_larger_than_memory)
{
	(void)add_verdict(DROP);
	end_hook();
	put_u32(t.g, info, UINT32_MAX);
	put_u32(t.g, info + 4, UINT32_MAX);
	walk_net_iptables.run(&t.w);
	expect_partial("lie outside");		  // what follows is zero
	cr_expect_eq(t.log.n[TABLE_iptables], 2); // what could be read stays
}

Test(net_iptables, matches_without_length)
{
	(void)add_rule(64, standard, "\xfe\xff\xff\xff", 4);
	end_hook();
	run();
	expect_partial("a match of a rule");
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "1", "target", "ACCEPT", "matches", NULL,
			      NULL));
}

Test(net_iptables, a_jump_to_no_chain)
{
	(void)add_verdict(4);
	end_hook();
	run();
	expect_partial("target is no chain");
}

Test(net_iptables, a_verdict_that_is_none)
{
	(void)add_verdict(-6);
	(void)add_rule(0, standard, "", 0);
	end_hook();
	run();
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "1", "target", NULL, NULL));
	cr_expect(net_has_row(&t, TABLE_iptables, "rule", "2", "target", NULL, NULL));
}

Test(net_iptables, a_rule_before_all_chains)
{
	(void)add_verdict(DROP);
	end_hook();
	put_u32(t.g, info + INFO_HOOKS + 4 * INPUT, 152);
	run();
	expect_partial("belongs to no chain");
}

Test(net_iptables, a_policy_elsewhere)
{
	end_hook();
	(void)add_verdict(DROP);
	run();
	expect_partial("policy of a chain");
}

Test(net_iptables, fewer_rules_than_are_said)
{
	end_hook();
	number++;
	run();
	expect_partial("not as many rules");
}
