// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest in which one thing is a lie: the walk ends soon, says so, and loses little.
#include "tests/unit/patched_image.h"

#include "src/walk/files.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAPLE_ARANGE = 3 }; // enum maple_type
#define NOWHERE	   0xffffc90000000000ULL
#define LONGEST_NS 30000000000LL // even where a sanitizer looks on

static void make(void)
{
	if (!patched_open())
		cr_skip_test("neither VMISCAN_IMAGE nor VMISCAN_SAMPLE names an image");
}

TestSuite(hostile, .init = make, .fini = patched_close, .timeout = 120);

#define FIELD_VA(base, type, name) k_field_va(patched.k, base, F(type, name))
#define READ(base, type, name)	   k_or0(patched.k, base, F(type, name))

static void walk(void)
{
	patched_walk();
	cr_expect_lt(patched.ns, LONGEST_NS, "%lld ms", (long long)patched.ns / 1000000);
}

// The table says that it is not all there, and why.
static void expect_partial(enum table_id table, const char *part)
{
	cr_expect(row_log_problem(&patched.log, table, part), "%s", row_log_problems(&patched.log));
	cr_expect_str_eq(row_log_status(&patched.log, table), "partial");
	cr_expect(patched.w.damaged);
}

static void expect_rows(enum table_id table, size_t least)
{
	cr_expect_geq(patched.log.n[table], least, "%s: %zu rows of %zu", schema_tables[table].name,
		      patched.log.n[table], patched.honest[table]);
	cr_expect_leq(patched.log.n[table], patched.honest[table]);
}

Test(hostile, the_guest_itself_is_whole)
{
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		cr_expect_str_neq(row_log_status(&patched.log, (enum table_id)t), "partial", "%s",
				  schema_tables[t].name);
	cr_expect_not(patched.w.damaged, "%s", row_log_problems(&patched.log));
	cr_expect_gt(patched.honest[TABLE_processes], 20);
	uint64_t digest = patched.log.digest;
	walk();
	cr_expect_eq(patched.log.digest, digest, "the same image gives the same rows");
}

// The address in the first row of a table whose column has this value.
static uint64_t address_where(enum table_id table, const char *column, const char *value,
			      const char *address)
{
	size_t i;

	patched_walk_kept();
	i = row_log_find(&patched.log, table, column, value);
	if (i == patched.log.n[table])
		cr_skip_test("no %s of this guest has %s %s", schema_tables[table].name, column,
			     value);
	return strtoull(row_log_value(&patched.log, table, i, address), NULL, 0);
}

// --- tasks ---

Test(hostile, a_task_that_follows_itself)
{
	uint64_t link = FIELD_VA(patched_process(3).addr, task_struct, tasks);

	patch_u64(link, link);
	walk();
	expect_partial(TABLE_processes, "circle");
	cr_expect_gt(patched.log.n[TABLE_processes], 3);
}

Test(hostile, a_list_of_tasks_that_leads_back_to_its_middle)
{
	uint64_t early = FIELD_VA(patched_process(0).addr, task_struct, tasks);
	uint64_t late = FIELD_VA(patched_process(10).addr, task_struct, tasks);

	patch_u64(late, early);
	patch_u64(early + 8, late);
	walk();
	expect_partial(TABLE_processes, "circle");
	expect_rows(TABLE_processes, 10);
}

Test(hostile, a_list_of_tasks_that_leads_into_something_else)
{
	uint64_t link = FIELD_VA(patched_process(5).addr, task_struct, tasks);

	patch_u64(link, patched_process(8).mm + 0x40);
	walk();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_processes), "partial");
	cr_expect_gt(patched.log.n[TABLE_processes], 5);
}

Test(hostile, a_list_of_tasks_that_ends_at_once)
{
	patch_u64(FIELD_VA(patched.k->init_task, task_struct, tasks), NOWHERE);
	walk();
	expect_partial(TABLE_processes, "memory that is not there");
	cr_expect_eq(patched.log.n[TABLE_processes], 0);
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], patched.honest[TABLE_kernel_modules]);
}

Test(hostile, a_process_taken_out_of_the_list)
{
	struct task hidden = patched_process(6);
	uint64_t link = FIELD_VA(hidden.addr, task_struct, tasks), next, prev;

	cr_assert(k_u64(patched.k, link, &next) && k_u64(patched.k, link + 8, &prev));
	patch_u64(prev, next);
	walk();
	expect_partial(TABLE_processes, "link back");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes] - 1);
}

static struct task threaded(void)
{
	const struct task *t;

	vec_foreach (t, &patched.w.tasks->all)
		if (task_is_leader(t) && t->n_threads > 1)
			return *t;
	cr_skip_test("no process of this guest has threads");
	return (struct task){0};
}

Test(hostile, threads_in_a_circle)
{
	struct task t = threaded();
	uint64_t link = FIELD_VA(t.addr, task_struct, thread_node);

	patch_u64(link, link);
	walk();
	expect_partial(TABLE_threads, "circle");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, threads_that_lead_to_another_process)
{
	struct task t = patched_process(2);

	patch_u64(FIELD_VA(t.addr, task_struct, thread_node),
		  FIELD_VA(patched_process(4).addr, task_struct, thread_node));
	walk();
	expect_partial(TABLE_threads, "not one of them");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	cr_expect_eq(patched.log.n[TABLE_threads], patched.honest[TABLE_threads] - t.n_threads + 1);
}

Test(hostile, all_processes_with_one_signal_struct)
{
	for (size_t i = 1; i < 10; i++)
		patch_field(patched_process(i).addr, F(task_struct, signal),
			    patched_process(0).signal);
	walk();
	cr_expect(patched.w.damaged);
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, a_name_without_an_end)
{
	struct task t = patched_process(0);

	patch_bytes(FIELD_VA(t.addr, task_struct, comm), "\x1b]0;\xff\xfe'\"<>%s%n&&", 16);
	walk();
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	cr_expect_eq(strlen(task_at(patched.w.tasks, t.addr)->comm), 16);
}

// --- memory of processes ---

static bool has_maple(void)
{
	return k_has(patched.k, F(mm_struct, mm_mt));
}

static uint64_t maple_root(uint64_t mm)
{
	return READ(FIELD_VA(mm, mm_struct, mm_mt), maple_tree, ma_root);
}

Test(hostile, mappings_in_a_circle)
{
	struct task t = patched_process(1);
	uint64_t root = has_maple() ? maple_root(t.mm) : 0, first = READ(t.mm, mm_struct, mmap);

	if (has_maple()) // the first slot of the top node leads to the top node
		patch_field(root & ~0xffULL,
			    (root >> 3 & 0xf) == MAPLE_ARANGE ? F(maple_arange_64, slot)
							      : F(maple_range_64, slot),
			    root);
	else
		patch_field(first, F(vm_area_struct, vm_next), first);
	walk();
	expect_partial(TABLE_process_memory_map, "the mappings of a process");
	expect_rows(TABLE_process_memory_map, patched.honest[TABLE_process_memory_map] / 2);
}

Test(hostile, mappings_that_are_nowhere)
{
	struct task t = patched_process(1);

	if (has_maple())
		patch_field(FIELD_VA(t.mm, mm_struct, mm_mt), F(maple_tree, ma_root),
			    NOWHERE | 0xe);
	else
		patch_field(t.mm, F(mm_struct, mmap), NOWHERE);
	walk();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_process_memory_map), "partial");
}

Test(hostile, page_tables_that_lead_to_themselves)
{
	struct task t = patched_process(2);
	uint64_t pgd = READ(t.mm, mm_struct, pgd), pa = patched_pa(pgd);

	for (uint64_t i = 0; i < 256; i++)
		patch_u64(pgd + i * 8, pa | 7);
	walk();
	expect_partial(TABLE_process_page_map, "lead to themselves");
	cr_expect_leq(patched.log.n[TABLE_process_page_map],
		      patched.honest[TABLE_process_page_map] + 1024);
}

Test(hostile, page_tables_that_are_all_of_memory)
{
	struct task t = patched_process(2);
	uint64_t pgd = READ(t.mm, mm_struct, pgd);

	for (uint64_t i = 0; i < 256; i++)
		patch_u64(pgd + i * 8, i << 20 | 7);
	walk();
	cr_expect(patched.w.damaged);
}

Test(hostile, arguments_of_a_billion_gigabytes)
{
	struct task t = patched_process(1);

	patch_field(t.mm, F(mm_struct, arg_end), READ(t.mm, mm_struct, arg_start) + (1ULL << 60));
	patch_field(t.mm, F(mm_struct, env_end), READ(t.mm, mm_struct, env_start) + (1ULL << 60));
	walk();
	expect_partial(TABLE_processes, "can't be true");
	expect_partial(TABLE_process_envs, "can't be true");
}

Test(hostile, arguments_that_lie_in_the_kernel)
{
	struct task t = patched_process(1);

	patch_field(t.mm, F(mm_struct, arg_start), t.addr);
	patch_field(t.mm, F(mm_struct, arg_end), t.addr + 4096);
	walk();
	expect_partial(TABLE_processes, "can't be true");
}

Test(hostile, memory_counters_of_any_size)
{
	struct task t = patched_process(1);
	uint8_t ones[64];

	for (unsigned fill = 0x7f; fill <= 0xff; fill += 0x80) {
		memset(ones, (int)fill, sizeof(ones));
		patch_bytes(FIELD_VA(t.mm, mm_struct, rss_stat), ones, 24);
		patch_bytes(FIELD_VA(t.mm, mm_struct, total_vm), ones, 8);
		walk();
		cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	}
}

Test(hostile, times_of_any_size)
{
	static const enum field fields[] = {
		F(task_struct, utime),
		F(task_struct, stime),
		F(task_struct, prev_utime),
		F(task_struct, prev_stime),
		F(task_struct, sum_exec_runtime),
		F(task_struct, start_boottime),
	};
	static const uint64_t values[] = {0, 1, 1ULL << 63, UINT64_MAX, INT64_MAX};

	for (size_t v = 0; v < 5; v++)
		for (size_t f = 0; f < 6; f++) {
			patch_none();
			patch_field(patched_process(1).addr, fields[f], values[v]);
			patch_field(patched_process(1).addr, fields[(f + 1) % 6], values[v]);
			walk();
			cr_expect_eq(patched.log.n[TABLE_processes],
				     patched.honest[TABLE_processes]);
		}
}

// --- files ---

static uint64_t fdt_of(const struct task *t)
{
	return READ(t->files, files_struct, fdt);
}

Test(hostile, descriptors_by_the_thousand_million)
{
	struct task t = patched_process(0);

	patch_field(fdt_of(&t), F(fdtable, max_fds), 1U << 31);
	walk();
	expect_partial(TABLE_process_open_files, "claims 2147483648 descriptors");
	cr_expect_leq(patched.log.n[TABLE_process_open_files],
		      patched.honest[TABLE_process_open_files] + 64);
}

Test(hostile, a_table_of_descriptors_that_is_as_large_as_memory)
{
	struct task t = patched_process(0);

	patch_field(fdt_of(&t), F(fdtable, max_fds), 4 << 20);
	patch_field(fdt_of(&t), F(fdtable, open_fds), 0x1000);
	patch_field(fdt_of(&t), F(fdtable, fd), patched.k->page_offset + patched.k->window_pa);
	walk();
	expect_partial(TABLE_process_open_files, "no file");
}

// The first open file of a process that has a path.
static uint64_t dentry_of(const struct task *t)
{
	uint64_t file, fd = READ(fdt_of(t), fdtable, fd);

	for (uint64_t i = 0; i < 64; i++) {
		if (!k_u64(patched.k, fd + i * 8, &file) || !file)
			continue;
		uint64_t dentry = READ(FIELD_VA(files_pointer(file), file, f_path), path, dentry);
		if (READ(dentry, dentry, d_parent) != dentry)
			return dentry;
	}
	return 0;
}

Test(hostile, directories_that_lie_in_each_other)
{
	struct task t = patched_process(0);
	uint64_t dentry = 0;

	for (size_t i = 0; i < 10 && !dentry; i++) {
		t = patched_process(i);
		dentry = dentry_of(&t);
	}
	cr_assert_neq(dentry, 0);
	uint64_t parent = READ(dentry, dentry, d_parent);
	patch_field(parent, F(dentry, d_parent), dentry);
	walk();
	cr_expect_eq(patched.log.n[TABLE_process_open_files],
		     patched.honest[TABLE_process_open_files]);
}

Test(hostile, a_root_that_lies_in_its_own_depths)
{
	uint64_t root = READ(FIELD_VA(patched_process(0).fs, fs_struct, root), path, dentry);
	uint64_t pwd = READ(FIELD_VA(patched_process(3).fs, fs_struct, pwd), path, dentry);

	patch_field(root, F(dentry, d_parent), pwd);
	for (size_t i = 0; i < 10; i++)
		patch_u64(FIELD_VA(patched_process(i).fs, fs_struct, root) + 8, NOWHERE);
	walk();
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, a_name_of_four_thousand_million_bytes)
{
	struct task t = patched_process(0);
	uint64_t name, dentry = 0;

	for (size_t i = 0; i < 10 && !dentry; i++) {
		t = patched_process(i);
		dentry = dentry_of(&t);
	}
	name = FIELD_VA(dentry, dentry, d_name);
	patch_field(name, F(qstr, len), UINT32_MAX);
	walk();
	cr_expect_eq(patched.log.n[TABLE_process_open_files],
		     patched.honest[TABLE_process_open_files]);
}

Test(hostile, mounts_on_each_other)
{
	uint64_t root = address_where(TABLE_mounts, "path", "/", "mount_addr");
	uint64_t other = address_where(TABLE_mounts, "path", "/proc", "mount_addr");

	patch_field(root, F(mount, mnt_parent), other);
	patch_field(other, F(mount, mnt_parent), root);
	walk();
	cr_expect_eq(patched.log.n[TABLE_mounts], patched.honest[TABLE_mounts]);
}

// --- the system ---

Test(hostile, modules_in_a_circle)
{
	uint64_t head = patched.k->symbol[S(modules)], first;

	cr_assert(head && k_u64(patched.k, head, &first));
	patch_u64(first, first);
	walk();
	expect_partial(TABLE_kernel_modules, "circle");
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], 1);
}

Test(hostile, a_module_taken_out_of_the_list)
{
	uint64_t head = patched.k->symbol[S(modules)], first, second;

	cr_assert(k_u64(patched.k, head, &first) && k_u64(patched.k, first, &second));
	patch_u64(head, second);
	walk();
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], patched.honest[TABLE_kernel_modules] - 1);
}

Test(hostile, names_of_the_system_without_an_end)
{
	uint64_t uts = READ(READ(patched.k->init_task, task_struct, nsproxy), nsproxy, uts_ns);
	char text[6 * 65];

	memset(text, 'A', sizeof(text));
	patch_bytes(FIELD_VA(uts, uts_namespace, name), text, sizeof(text));
	walk();
	cr_expect_eq(patched.log.n[TABLE_system_info], 1);
	struct err *e = patched_find();
	cr_expect_null(e, "the names are not what a kernel is found by");
}

Test(hostile, processors_by_the_thousand_million)
{
	uint64_t cpus = patched.k->symbol[S(nr_cpu_ids)];

	if (!cpus)
		cr_skip_test("this kernel keeps no number of CPUs");
	patch_u32(cpus, 1U << 31);
	cr_assert_null(patched_find());
	walk();
	cr_expect(patched.w.damaged, "%s", row_log_problems(&patched.log));
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, a_first_task_that_no_list_leaves)
{
	uint64_t link = FIELD_VA(patched.k->init_task, task_struct, tasks);

	patch_u64(link, link);
	patch_u64(link + 8, link);
	struct err *e = patched_find();
	cr_assert_not_null(e);
	cr_expect_eq(e->code, ERR_NO_KERNEL);
}

Test(hostile, a_list_of_tasks_that_never_comes_home)
{
	uint64_t early = FIELD_VA(patched_process(0).addr, task_struct, tasks);
	uint64_t late = FIELD_VA(patched_process(10).addr, task_struct, tasks);

	patch_u64(late, early);
	struct err *e = patched_find();
	cr_assert_null(e, "%s", e ? e->msg : "");
	walk();
	expect_partial(TABLE_processes, "circle");
}

// --- sockets ---

static uint64_t socket_where(const char *column, const char *value)
{
	return address_where(TABLE_sockets, column, value, "socket_addr");
}

Test(hostile, a_connection_that_follows_itself)
{
	uint64_t sk = socket_where("state", "ESTABLISHED");
	uint64_t node = FIELD_VA(sk, sock_common, skc_node);

	patch_u64(node, node);
	walk();
	expect_partial(TABLE_sockets, "circle");
	expect_rows(TABLE_sockets, patched.honest[TABLE_sockets] - 20);
}

Test(hostile, sockets_of_each_family_that_follow_themselves)
{
	static const char *const families[] = {"1", "2", "10", "17"};

	for (size_t i = 0; i < 4; i++) {
		uint64_t sk = socket_where("family", families[i]);
		uint64_t node = FIELD_VA(sk, sock_common, skc_node);
		patch_u64(node, node);
		walk();
		cr_expect(patched.w.damaged, "family %s", families[i]);
		patch_none();
	}
}

Test(hostile, a_chain_of_sockets_that_leads_into_something_else)
{
	uint64_t sk = socket_where("state", "LISTEN");

	patch_u64(FIELD_VA(sk, sock_common, skc_node), patched_process(0).addr);
	walk();
	cr_expect(patched.w.damaged);
}

Test(hostile, a_table_of_connections_that_is_as_large_as_memory)
{
	uint64_t info = patched.k->symbol[S(tcp_hashinfo)];

	if (!info)
		cr_skip_test("this kernel names no table of connections");
	patch_field(info, F(inet_hashinfo, ehash_mask), UINT32_MAX);
	walk();
	cr_expect(patched.w.damaged);
	patch_none();
	patch_field(info, F(inet_hashinfo, ehash_mask), (1 << 22) - 1);
	walk();
	cr_expect(patched.w.damaged);
}

Test(hostile, devices_in_a_circle)
{
	uint64_t nsproxy = READ(patched.k->init_task, task_struct, nsproxy);
	uint64_t head = FIELD_VA(READ(nsproxy, nsproxy, net_ns), net, dev_base_head), first;

	cr_assert(k_u64(patched.k, head, &first));
	patch_u64(first, first);
	walk();
	expect_partial(TABLE_interface_details, "circle");
	cr_expect_leq(patched.log.n[TABLE_interface_details],
		      patched.honest[TABLE_interface_details]);
}

// --- absent memory ---

Test(hostile, tasks_in_pages_that_are_not_there)
{
	struct task t = patched_process(4);

	patch_absent(patched_pa(t.addr));
	walk();
	cr_expect(patched.w.damaged);
	patch_absent(patched_pa(t.addr + 4096));
	patch_absent(patched_pa(t.addr + 8192));
	walk();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_processes), "partial");
}

Test(hostile, page_tables_of_the_kernel_that_are_not_there)
{
	patch_absent(patched.k->as.root_pa);
	walk();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_processes), "partial");
}

// --- types and symbols ---

static void flip_and_find(uint64_t pa, unsigned bit)
{
	uint8_t byte;

	patch_none();
	cr_assert(physmem_read(patched.img->mem, pa, &byte, 1));
	byte ^= (uint8_t)(1U << bit);
	patch_pa(pa, &byte, 1);
	struct err *e = patched_find();
	if (e)
		cr_expect(e->code == ERR_NO_KERNEL || e->code == ERR_FORMAT, "%s", e->msg);
	else
		walk();
}

Test(hostile, flipped_bits_of_types_and_symbols)
{
	uint64_t seed = 1, start = patched.k->window_pa, btf = start + patched.k->btf_off;
	size_t size = patched.k->window_size;

	for (int i = 0; i < 24; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		uint64_t pa = i < 8 ? btf + (seed >> 40) % 64 // its header
				    : start + (seed >> 24) % size;
		flip_and_find(pa, (unsigned)i % 8);
	}
}
