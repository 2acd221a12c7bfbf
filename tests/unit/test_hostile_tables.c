// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest whose log, routes, neighbours, settings, shared memory or files are lies.
#include "src/walk/net_xtables.h"
#include "tests/unit/patched_image.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOWHERE 0xffffc90000000000ULL

TestSuite(hostile_tables, .init = patched_begin, .fini = patched_close, .timeout = 120);

// --- the log ---

static uint64_t log_ring(void)
{
	uint64_t prb = 0, at = patched.k->symbol[S(prb)];

	cr_assert(at && k_ptr(patched.k, at, &prb));
	return prb;
}

static uint64_t log_descs(void)
{
	return FIELD_VA(log_ring(), printk_ringbuffer, desc_ring);
}

Test(hostile_tables, a_log_of_more_records_than_it_has_room_for)
{
	patch_field(log_descs(), F(prb_desc_ring, head_id), UINT64_MAX >> 2);
	patched_walk_soon();
	patched_expect_partial(TABLE_dmesg, "records in a ring of");
	cr_expect_leq(patched.log.n[TABLE_dmesg], patched.honest[TABLE_dmesg]);
}

Test(hostile_tables, a_log_as_large_as_memory)
{
	patch_field(log_descs(), F(prb_desc_ring, count_bits), 63);
	patched_walk_soon();
	patched_expect_partial(TABLE_dmesg, "can't be read");
	cr_expect_eq(patched.log.n[TABLE_dmesg], 0);
}

Test(hostile_tables, records_whose_text_lies_elsewhere)
{
	uint64_t descs = READ(log_descs(), prb_desc_ring, descs);
	uint64_t infos = READ(log_descs(), prb_desc_ring, infos);
	uint64_t size = k_sizeof(patched.k, "prb_desc");

	patch_field(descs + 3 * size, F(prb_desc, begin), 0x10);
	patch_field(descs + 3 * size, F(prb_desc, next), UINT64_MAX - 7);
	patch_field(infos + 4 * k_sizeof(patched.k, "printk_info"), F(printk_info, text_len),
		    UINT16_MAX);
	patched_walk_soon();
	patched_expect_partial(TABLE_dmesg, "is not there");
	cr_expect_eq(patched.log.n[TABLE_dmesg], patched.honest[TABLE_dmesg]);
}

// What is told of the record at this place of the ring.
static const char *log_message(uint64_t place)
{
	uint64_t infos = READ(log_descs(), prb_desc_ring, infos);
	uint64_t info = infos + place * k_sizeof(patched.k, "printk_info");
	char seq[32];

	(void)snprintf(seq, sizeof(seq), "%" PRIu64, READ(info, printk_info, seq));
	for (size_t i = 0; i < patched.log.n[TABLE_dmesg]; i++)
		if (strcmp(row_log_value(&patched.log, TABLE_dmesg, i, "seq"), seq) == 0)
			return row_log_value(&patched.log, TABLE_dmesg, i, "message");
	cr_assert_fail("record %s is lost", seq);
	return NULL;
}

static void empty_record(uint64_t place, uint64_t position)
{
	uint64_t desc =
		READ(log_descs(), prb_desc_ring, descs) + place * k_sizeof(patched.k, "prb_desc");
	uint64_t info = READ(log_descs(), prb_desc_ring, infos) +
			place * k_sizeof(patched.k, "printk_info");

	patch_field(desc, F(prb_desc, begin), position);
	patch_field(desc, F(prb_desc, next), position);
	patch_field(info, F(printk_info, text_len), 0);
}

Test(hostile_tables, a_record_without_room_for_its_text_has_none)
{
	uint64_t reserved =
		READ(log_descs(), prb_desc_ring, descs) + 5 * k_sizeof(patched.k, "prb_desc");

	empty_record(3, 3); // NO_LPOS
	empty_record(4, 1); // FAILED_LPOS
	patch_field(reserved, F(prb_desc, state_var),
		    READ(reserved, prb_desc, state_var) & UINT64_MAX >> 2);
	patched_walk_kept();
	cr_expect_str_eq(log_message(3), "");
	cr_expect_null(log_message(4));
	cr_expect_null(log_message(5));
	cr_expect_not_null(log_message(6));
	cr_expect_not(patched.w.cover[TABLE_dmesg].partial);
}

// --- networks ---

static uint64_t init_net(void)
{
	return READ(READ(patched.k->init_task, task_struct, nsproxy), nsproxy, net_ns);
}

// The first node of a table's trie, if it has children; else 0.
static uint64_t first_node(uint64_t table)
{
	uint64_t trie = READ(table, fib_table, tb_data), node = 0;

	(void)k_ptr(patched.k, FIELD_VA(FIELD_VA(trie, trie, kv), key_vector, tnode), &node);
	return node && READ(node, key_vector, bits) ? node : 0;
}

static uint64_t trie_root(void)
{
	uint64_t buckets = READ(init_net(), net, fib_table_hash), first, root = 0;

	for (uint64_t i = 0; i < 256 && !root; i++)
		if (k_ptr(patched.k, buckets + i * 8, &first) && first)
			root = first_node(k_container(patched.k, first, F(fib_table, tb_hlist)));
	cr_assert_neq(root, 0);
	return root;
}

Test(hostile_tables, a_trie_that_grows_out_of_itself)
{
	uint64_t root = trie_root();

	patch_u64(FIELD_VA(root, key_vector, tnode), root);
	patched_walk_soon();
	patched_expect_partial(TABLE_routes, "can't be one");
}

Test(hostile_tables, a_node_of_more_children_than_addresses)
{
	patch_field(trie_root(), F(key_vector, bits), 63);
	patched_walk_soon();
	patched_expect_partial(TABLE_routes, "can't be one");
}

Test(hostile_tables, a_route_by_a_thousand_million_gateways)
{
	uint64_t info = patched_address(TABLE_routes, "destination", "127.0.0.0", "route_addr");

	patch_field(info, F(fib_info, fib_nhs), 1 << 30);
	patched_walk_soon();
	patched_expect_partial(TABLE_routes, "more next hops");
}

Test(hostile_tables, a_table_in_every_bucket_is_walked_once)
{
	uint64_t buckets = READ(init_net(), net, fib_table_hash), first = 0;

	for (uint64_t i = 0; i < 256 && !first; i++)
		cr_assert(k_ptr(patched.k, buckets + i * 8, &first));
	for (uint64_t i = 0; i < 256; i++) {
		uint64_t at = 0;
		if (k_ptr(patched.k, buckets + i * 8, &at) && !at)
			patch_u64(buckets + i * 8, first);
	}
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_routes], patched.honest[TABLE_routes]);
}

Test(hostile_tables, neighbours_in_a_circle)
{
	uint64_t n = patched_address(TABLE_arp_cache, "address", "10.0.2.77", "neighbour_addr");

	patch_field(n, F(neighbour, next), n);
	patched_walk_soon();
	patched_expect_partial(TABLE_arp_cache, "circle");
}

// --- rules of iptables ---

Test(hostile_tables, rules_as_large_as_memory)
{
	uint64_t table = patched_address(TABLE_iptables, "chain", "guest-chain", "table_addr");
	struct xtables x;
	uint64_t info = 0;

	cr_assert(xtables_init(&x, &patched.w, TABLE_iptables));
	cr_assert(k_ptr(patched.k, table + x.off[XT_TABLE_PRIVATE], &info));
	patch_u32(info + x.off[XT_INFO_SIZE], UINT32_MAX);
	patched_walk_soon();
	cr_expect(patched.w.cover[TABLE_iptables].partial);
	cr_expect_geq(patched.log.n[TABLE_iptables], patched.honest[TABLE_iptables]);
}

Test(hostile_tables, counters_that_are_nowhere)
{
	uint64_t rule = patched_address(TABLE_iptables, "chain", "guest-chain", "rule_addr");

	patch_u64(rule + 96, NOWHERE); // in place of a per-CPU pointer
	patched_walk_soon();
	patched_expect_partial(TABLE_iptables, "found nothing");
	cr_expect_eq(patched.log.n[TABLE_iptables], patched.honest[TABLE_iptables]);
}

// Kernels that keep no types of modules have x_tables' members where this one's types say.
Test(hostile_tables, places_without_types_are_those_of_the_types)
{
	struct xtables by_types, known;

	cr_assert(xtables_init(&by_types, &patched.w, TABLE_iptables));
	patched.k->symbol[S(btf_modules)] = 0;
	cr_assert(xtables_init(&known, &patched.w, TABLE_iptables));
	cr_expect_arr_eq(by_types.off, known.off, sizeof(known.off));
}

// --- settings, shared memory, files ---

Test(hostile_tables, a_folder_of_settings_that_is_its_own_child)
{
	uint64_t root = patched.k->symbol[S(sysctl_table_root)];
	uint64_t dir = FIELD_VA(root, ctl_table_root, default_dir), node;
	uint64_t at = FIELD_VA(dir, ctl_dir, root);

	cr_assert(root && k_ptr(patched.k, at, &node));
	patch_field(node, F(rb_node, rb_left), node);
	patched_walk_soon();
	patched_expect_partial(TABLE_system_controls, "settings");
	cr_expect_lt(patched.log.n[TABLE_system_controls], patched.honest[TABLE_system_controls]);
}

Test(hostile_tables, a_setting_of_two_thousand_million_numbers)
{
	uint64_t table =
		patched_address(TABLE_system_controls, "name", "kernel.pid_max", "table_addr");

	patch_field(table, F(ctl_table, maxlen), INT32_MAX);
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_system_controls], patched.honest[TABLE_system_controls]);
}

static void patch_segments(uint64_t head)
{
	uint64_t ipc = READ(READ(patched.k->init_task, task_struct, nsproxy), nsproxy, ipc_ns);
	uint64_t ids = FIELD_VA(ipc, ipc_namespace, ids) +
		       2ULL * patched.k->field[F(ipc_namespace, ids)].elem_size;

	patch_u64(FIELD_VA(ids, ipc_ids, ipcs_idr), head);
	patched_walk_soon();
}

Test(hostile_tables, segments_that_are_nowhere)
{
	patch_segments(NOWHERE + 2);
	cr_expect(patched.w.cover[TABLE_shared_memory].partial);
}

Test(hostile_tables, a_segment_that_is_nowhere)
{
	patch_segments(NOWHERE);
	patched_expect_partial(TABLE_shared_memory, "is nowhere");
	cr_expect_lt(patched.log.n[TABLE_shared_memory], patched.honest[TABLE_shared_memory]);
}

Test(hostile_tables, a_segment_that_is_a_number)
{
	patch_segments(READ(patched.k->init_task, task_struct, nsproxy) + 1);
	patched_expect_partial(TABLE_shared_memory, "is nowhere");
	cr_expect_lt(patched.log.n[TABLE_shared_memory], patched.honest[TABLE_shared_memory]);
}

Test(hostile_tables, a_disk_with_a_name_without_end)
{
	uint64_t disk = patched_address(TABLE_block_devices, "name", "/dev/vda", "disk_addr");
	char name[32];

	memset(name, 'x', sizeof(name));
	patch_bytes(FIELD_VA(disk, gendisk, disk_name), name, sizeof(name));
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_block_devices], patched.honest[TABLE_block_devices]);
}
