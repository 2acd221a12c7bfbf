// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest in whose files, devices, sockets or symbols one thing is a lie.
#include "tests/unit/patched_image.h"

#include "src/walk/files.h"

#include <criterion/criterion.h>

#include <string.h>

#define NOWHERE 0xffffc90000000000ULL

TestSuite(hostile, .init = patched_begin, .fini = patched_close, .timeout = 120);

// --- files ---

static uint64_t fdt_of(const struct task *t)
{
	return READ(t->files, files_struct, fdt);
}

Test(hostile, descriptors_by_the_thousand_million)
{
	struct task t = patched_process(0);

	patch_field(fdt_of(&t), F(fdtable, max_fds), 1U << 31);
	patched_walk_soon();
	patched_expect_partial(TABLE_process_open_files, "claims 2147483648 descriptors");
	cr_expect_leq(patched.log.n[TABLE_process_open_files],
		      patched.honest[TABLE_process_open_files] + 64);
}

Test(hostile, a_table_of_descriptors_that_is_as_large_as_memory)
{
	struct task t = patched_process(0);

	patch_field(fdt_of(&t), F(fdtable, max_fds), 4 << 20);
	patch_field(fdt_of(&t), F(fdtable, open_fds), 0x1000);
	patch_field(fdt_of(&t), F(fdtable, fd), patched.k->page_offset + patched.k->window_pa);
	patched_walk_soon();
	patched_expect_partial(TABLE_process_open_files, "no file");
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
	patched_walk_soon();
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
	patched_walk_soon();
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
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_process_open_files],
		     patched.honest[TABLE_process_open_files]);
}

Test(hostile, mounts_on_each_other)
{
	uint64_t root = patched_address(TABLE_mounts, "path", "/", "mount_addr");
	uint64_t other = patched_address(TABLE_mounts, "path", "/proc", "mount_addr");

	patch_field(root, F(mount, mnt_parent), other);
	patch_field(other, F(mount, mnt_parent), root);
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_mounts], patched.honest[TABLE_mounts]);
}

// --- the system ---

Test(hostile, modules_in_a_circle)
{
	uint64_t head = patched.k->symbol[S(modules)], first;

	cr_assert(head && k_u64(patched.k, head, &first));
	patch_u64(first, first);
	patched_walk_soon();
	patched_expect_partial(TABLE_kernel_modules, "circle");
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], 1);
}

Test(hostile, a_module_taken_out_of_the_list)
{
	uint64_t head = patched.k->symbol[S(modules)], first, second;

	cr_assert(k_u64(patched.k, head, &first) && k_u64(patched.k, first, &second));
	patch_u64(head, second);
	patched_walk_soon();
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], patched.honest[TABLE_kernel_modules] - 1);
}

Test(hostile, names_of_the_system_without_an_end)
{
	uint64_t uts = READ(READ(patched.k->init_task, task_struct, nsproxy), nsproxy, uts_ns);
	char text[6 * 65];

	memset(text, 'A', sizeof(text));
	patch_bytes(FIELD_VA(uts, uts_namespace, name), text, sizeof(text));
	patched_walk_soon();
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
	patched_walk_soon();
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
	patched_walk_soon();
	patched_expect_partial(TABLE_processes, "circle");
}

// --- sockets ---

static uint64_t socket_where(const char *column, const char *value)
{
	return patched_address(TABLE_sockets, column, value, "socket_addr");
}

Test(hostile, a_connection_that_follows_itself)
{
	uint64_t sk = socket_where("state", "ESTABLISHED");
	uint64_t node = FIELD_VA(sk, sock_common, skc_node);

	patch_u64(node, node);
	patched_walk_soon();
	patched_expect_partial(TABLE_sockets, "circle");
	cr_expect_geq(patched.log.n[TABLE_sockets], patched.honest[TABLE_sockets] - 20);
	cr_expect_leq(patched.log.n[TABLE_sockets], patched.honest[TABLE_sockets]);
}

Test(hostile, sockets_of_each_family_that_follow_themselves)
{
	static const char *const families[] = {"1", "2", "10", "17"};

	for (size_t i = 0; i < 4; i++) {
		uint64_t sk = socket_where("family", families[i]);
		uint64_t node = FIELD_VA(sk, sock_common, skc_node);
		patch_u64(node, node);
		patched_walk_soon();
		cr_expect(patched.w.damaged, "family %s", families[i]);
		patch_none();
	}
}

Test(hostile, a_chain_of_sockets_that_leads_into_something_else)
{
	uint64_t sk = socket_where("state", "LISTEN");

	patch_u64(FIELD_VA(sk, sock_common, skc_node), patched_process(0).addr);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
}

Test(hostile, a_table_of_connections_that_is_as_large_as_memory)
{
	uint64_t info = patched.k->symbol[S(tcp_hashinfo)];

	if (!info)
		cr_skip_test("this kernel names no table of connections");
	patch_field(info, F(inet_hashinfo, ehash_mask), UINT32_MAX);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	patch_none();
	patch_field(info, F(inet_hashinfo, ehash_mask), (1 << 22) - 1);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
}

Test(hostile, devices_in_a_circle)
{
	uint64_t nsproxy = READ(patched.k->init_task, task_struct, nsproxy);
	uint64_t head = FIELD_VA(READ(nsproxy, nsproxy, net_ns), net, dev_base_head), first;

	cr_assert(k_u64(patched.k, head, &first));
	patch_u64(first, first);
	patched_walk_soon();
	patched_expect_partial(TABLE_interface_details, "circle");
	cr_expect_leq(patched.log.n[TABLE_interface_details],
		      patched.honest[TABLE_interface_details]);
}

// --- absent memory ---

Test(hostile, tasks_in_pages_that_are_not_there)
{
	struct task t = patched_process(4);

	patch_absent(patched_pa(t.addr));
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	patch_absent(patched_pa(t.addr + 4096));
	patch_absent(patched_pa(t.addr + 8192));
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_processes), "partial");
}

Test(hostile, page_tables_of_the_kernel_that_are_not_there)
{
	patch_absent(patched.k->as.root_pa);
	patched_walk_soon();
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
		patched_walk_soon();
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
