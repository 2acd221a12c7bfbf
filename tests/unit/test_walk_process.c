// SPDX-License-Identifier: LGPL-2.1-or-later
// What belongs to a process: descriptors, mappings, pages, arguments; true, absent and made up.
#include "src/base/vec.h"
#include "src/walk/files.h"
#include "src/walk/process.h"
#include "src/walk/process_text.h"
#include "src/walk/vma.h"
#include "tests/unit/kernel_builder.h"
#include "tests/unit/row_log.h"

#include <criterion/criterion.h>

#include <string.h>

#define NOWHERE 0xffffc90000000000ULL
#define STACK	0x00007ffc00000000ULL

static struct guest *g;
static struct row_log log_;
static struct walk w;
static struct tasks tasks;
static struct task *task;
static VEC(uint64_t) seen;

static uint64_t structure(const char *type)
{
	return guest_alloc(g, guest_struct(g, type));
}

static void make(void)
{
	g = guest_new(4);
	row_log_init(&log_);
	walk_init(&w, &g->k, &log_.sink, log_.wanted);
	w.tasks = &tasks;
	task = vec_add(&tasks.all);
	*task = (struct task){
		.addr = structure("task_struct"), .pid = 7, .has_pid = true, .n_threads = 1};
	task->leader = task->donor = task->addr;
}

static void unmake(void)
{
	vec_fini(&tasks.all);
	vec_fini(&seen);
	w.tasks = NULL;
	walk_fini(&w);
	row_log_fini(&log_);
	guest_free(g);
}

TestSuite(fds, .init = make, .fini = unmake);
TestSuite(mappings, .init = make, .fini = unmake);
TestSuite(pages, .init = make, .fini = unmake);
TestSuite(text, .init = make, .fini = unmake);

static void expect_problem(enum table_id table, const char *part)
{
	cr_expect(row_log_problem(&log_, table, part), "%s", row_log_problems(&log_));
}

static void expect_no_problem(void)
{
	cr_expect_str_eq(row_log_problems(&log_), "");
}

// --- descriptors ---

#define T TABLE_process_open_files

static uint64_t fdt, inode_of_all;

// A table of descriptors for the process.
static void new_fd_table(uint64_t max_fds)
{
	uint64_t files = structure("files_struct");

	(void)guest_struct(g, "file");
	guest_place(g, F(file, f_path), 0x800, 16);
	(void)guest_struct(g, "path");
	(void)guest_struct(g, "dentry");
	inode_of_all = structure("inode");
	fdt = structure("fdtable");
	guest_set(g, files, F(files_struct, fdt), fdt);
	guest_set(g, fdt, F(fdtable, max_fds), max_fds);
	guest_set(g, fdt, F(fdtable, fd), guest_alloc(g, (max_fds + 1) * 8));
	uint64_t bitmaps = guest_alloc(g, max_fds / 4);
	guest_set(g, fdt, F(fdtable, open_fds), bitmaps);
	guest_set(g, fdt, F(fdtable, close_on_exec), bitmaps + max_fds / 8);
	task->files = files;
}

static uint64_t slot_va(uint64_t fd)
{
	return k_or0(&g->k, fdt, F(fdtable, fd)) + fd * 8;
}

static uint64_t new_file(uint64_t fd)
{
	uint64_t file = guest_alloc(g, 4096), dentry = structure("dentry");

	guest_set(g, file, F(file, f_inode), inode_of_all);
	guest_set(g, guest_field(g, file, F(file, f_path)), F(path, dentry), dentry);
	guest_set(g, dentry, F(dentry, d_inode), inode_of_all);
	put_u64(g, slot_va(fd), file);
	return file;
}

static void see_file(void *arg, const struct open_file *f)
{
	(void)arg;
	vec_push(&seen, f->fd << 1 | f->cloexec);
}

static void files(void)
{
	files_each(&w, T, see_file, NULL);
}

Test(fds, open_ones_come_by_number)
{
	new_fd_table(1024);
	(void)new_file(0);
	(void)new_file(3);
	(void)new_file(1023);
	put_u64(g, k_or0(&g->k, fdt, F(fdtable, close_on_exec)), 1 << 3);
	files();
	cr_assert_eq(seen.n, 3);
	cr_expect(seen.at[0] == 0 << 1 && seen.at[1] == (3 << 1 | 1) && seen.at[2] == 1023 << 1);
	expect_no_problem();
}

Test(fds, flags_in_the_low_bits_of_a_pointer_are_dropped)
{
	new_fd_table(64);
	put_u64(g, slot_va(2), new_file(2) | 3);
	files();
	cr_expect_eq(seen.n, 1);
	expect_no_problem();
}

Test(fds, what_is_no_file_is_told_and_loses_no_other)
{
	new_fd_table(64);
	(void)new_file(0);
	put_u64(g, slot_va(1), 0x4141414141414140);
	put_u64(g, slot_va(2), NOWHERE);
	put_u64(g, slot_va(3), guest_alloc(g, 4096)); // zeros
	(void)new_file(5);
	files();
	cr_expect_eq(seen.n, 2);
	expect_problem(T, "no file");
}

Test(fds, a_file_whose_inode_is_not_its_dentrys_is_none)
{
	new_fd_table(64);
	guest_set(g, new_file(0), F(file, f_inode), structure("inode"));
	files();
	cr_expect_eq(seen.n, 0);
	expect_problem(T, "no file");
}

Test(fds, a_table_of_two_thousand_million_descriptors_ends_where_files_end)
{
	new_fd_table(64);
	(void)new_file(0);
	(void)new_file(63);
	(void)new_file(64); // of a table that lies behind this one
	guest_set(g, fdt, F(fdtable, max_fds), 1U << 31);
	files();
	cr_expect_eq(seen.n, 2);
	expect_problem(T, "claims 2147483648 descriptors");
}

Test(fds, a_table_ends_where_files_end)
{
	new_fd_table(1 << 16);
	(void)new_file(0);
	for (uint64_t i = 1; i < 1 << 16; i++)
		put_u64(g, slot_va(i), 0xffff888000000000 + i * 0x1337);
	files();
	cr_expect_eq(seen.n, 1);
	expect_problem(T, "no file");
	cr_expect_lt(g->k.faults.count, 1000);
}

Test(fds, a_huge_table_that_leaves_memory_ends_there)
{
	new_fd_table(64);
	(void)new_file(0);
	guest_set(g, fdt, F(fdtable, max_fds), UINT64_MAX);
	guest_set(g, fdt, F(fdtable, open_fds), 0x1000);
	files();
	cr_expect_eq(seen.n, 1);
	expect_problem(T, "can't be read");
}

Test(fds, a_table_that_is_not_there_is_told)
{
	new_fd_table(64);
	guest_set(g, fdt, F(fdtable, fd), NOWHERE);
	files();
	task->files = NOWHERE;
	files();
	cr_expect_eq(seen.n, 0);
	cr_expect_eq(log_.n[TABLE_problems], 2);
}

Test(fds, a_bitmap_that_is_not_there_loses_no_descriptor)
{
	new_fd_table(64);
	(void)new_file(4);
	guest_set(g, fdt, F(fdtable, close_on_exec), NOWHERE);
	files();
	cr_expect_eq(seen.n, 1);
}

// --- mappings ---

static size_t stop_after;

static bool see_vma(void *arg, uint64_t vma)
{
	(void)arg;
	vec_push(&seen, vma);
	return seen.n != stop_after;
}

// n mappings in a list, as before 6.1.
static uint64_t *vma_list(size_t n)
{
	static uint64_t vma[64];
	uint64_t mm = structure("mm_struct");

	guest_unplace(g, F(mm_struct, mm_mt));
	for (size_t i = 0; i < n; i++) {
		vma[i] = structure("vm_area_struct");
		guest_set(g, vma[i], F(vm_area_struct, vm_start), 0x1000 * i);
		guest_set(g, vma[i], F(vm_area_struct, vm_end), 0x1000 * (i + 1));
	}
	for (size_t i = 0; i + 1 < n; i++)
		guest_set(g, vma[i], F(vm_area_struct, vm_next), vma[i + 1]);
	guest_set(g, mm, F(mm_struct, mmap), n ? vma[0] : 0);
	task->mm = mm;
	return vma;
}

Test(mappings, a_list_is_walked_in_order)
{
	uint64_t *vma = vma_list(20);

	cr_expect_eq(vma_each(&w, task->mm, see_vma, NULL), ITER_END);
	cr_assert_eq(seen.n, 20);
	cr_expect_eq(seen.at[19], vma[19]);
}

Test(mappings, a_list_in_a_circle_gives_each_once)
{
	for (size_t to = 0; to < 20; to++) {
		uint64_t *vma = vma_list(20);
		guest_set(g, vma[19], F(vm_area_struct, vm_next), vma[to]);
		seen.n = 0;
		cr_expect_neq(vma_each(&w, task->mm, see_vma, NULL), ITER_END);
		cr_expect_eq(seen.n, 20, "into %zu", to);
	}
}

Test(mappings, the_visitor_can_end_it)
{
	(void)vma_list(20);
	stop_after = 3;
	cr_expect_eq(vma_each(&w, task->mm, see_vma, NULL), ITER_END);
	cr_expect_eq(seen.n, 3);
	stop_after = 0;
}

Test(mappings, a_process_without_any_has_none)
{
	(void)vma_list(0);
	cr_expect_eq(vma_each(&w, task->mm, see_vma, NULL), ITER_END);
	cr_expect_eq(seen.n, 0);
}

Test(mappings, one_that_can_not_be_read_is_a_problem_of_its_own)
{
	uint64_t *vma = vma_list(3);

	(void)guest_struct(g, "file");
	guest_set(g, vma[1], F(vm_area_struct, vm_next), NOWHERE);
	walk_memory_map.run(&w);
	cr_expect_eq(log_.n[TABLE_process_memory_map], 2);
	expect_problem(TABLE_process_memory_map, "can't be read");
	expect_problem(TABLE_process_memory_map, "the mappings of a process");
}

// --- pages ---

static uint64_t new_mm(void)
{
	uint64_t mm = structure("mm_struct"), pgd = guest_page(g);

	guest_set(g, mm, F(mm_struct, pgd), guest_va(g, pgd));
	task->mm = mm;
	return pgd;
}

Test(pages, that_lie_together_are_one_run)
{
	uint64_t pgd = new_mm();

	guest_map_in(g, pgd, 0x10000, 0x100000, 0x8000, 0x1000, GUEST_RW | GUEST_USER | GUEST_NX);
	guest_map_in(g, pgd, 0x18000, 0x200000, 0x1000, 0x1000, GUEST_PRESENT | GUEST_USER);
	walk_page_map.run(&w);
	cr_assert_eq(log_.n[TABLE_process_page_map], 2);
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_page_map, 0, "end_va"),
			 "0x0000000000018000");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_page_map, 0, "permissions"), "rw-");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_page_map, 1, "start_pa"),
			 "0x0000000000200000");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_page_map, 1, "permissions"), "r-x");
	expect_no_problem();
}

Test(pages, tables_that_lead_to_themselves_are_told_and_end)
{
	uint64_t pgd = new_mm();

	for (uint64_t i = 0; i < 512; i++)
		put_entry(g, pgd + i * 8, pgd | GUEST_RW | GUEST_USER);
	walk_page_map.run(&w);
	expect_problem(TABLE_process_page_map, "lead to themselves");
}

Test(pages, a_table_that_is_absent_is_told)
{
	uint64_t pgd = new_mm();

	guest_map_in(g, pgd, 0x10000, 0x100000, 0x1000, 0x1000, GUEST_RW | GUEST_USER);
	guest_drop(g, guest_entry(g, pgd, 0x10000, 1));
	walk_page_map.run(&w);
	expect_problem(TABLE_process_page_map, "not in the image");
}

Test(pages, a_root_that_is_nowhere_is_told)
{
	(void)new_mm();
	guest_set(g, task->mm, F(mm_struct, pgd), NOWHERE);
	walk_page_map.run(&w);
	expect_problem(TABLE_process_page_map, "can't be read");
}

// --- arguments and environment ---

static void new_text(const char *args, size_t n_args, const char *env, size_t n_env)
{
	uint64_t page, pgd = new_mm();

	page = guest_page(g);
	guest_map_in(g, pgd, STACK, page, 0x1000, 0x1000, GUEST_RW | GUEST_USER);
	guest_put(g, guest_va(g, page), args, n_args);
	guest_put(g, guest_va(g, page) + n_args, env, n_env);
	guest_set(g, task->mm, F(mm_struct, arg_start), STACK);
	guest_set(g, task->mm, F(mm_struct, arg_end), STACK + n_args);
	guest_set(g, task->mm, F(mm_struct, env_start), STACK + n_args);
	guest_set(g, task->mm, F(mm_struct, env_end), STACK + n_args + n_env);
}

// want: what they begin with.
static void expect_args(const char *want, size_t n, bool whole)
{
	struct user_text t = process_arguments(&w, task);

	cr_assert_eq(t.n, n);
	cr_expect(n == 0 || strncmp(t.p, want, n) == 0);
	cr_expect_eq(t.whole, whole);
	process_text_check(&w, TABLE_processes, task, &t, "the arguments");
}

#define ARGS(text) text, sizeof(text)

Test(text, arguments_are_what_lies_between_their_ends)
{
	new_text(ARGS("cat\0file"), ARGS("A=1\0B=2"));
	expect_args("cat", 9, true);
	cr_expect_str_eq(process_arguments(&w, task).p + 4, "file");
	expect_no_problem();
}

Test(text, a_title_written_over_the_arguments_runs_into_the_environment)
{
	new_text("sshd: root@", 11, ARGS("pts/0\0B=2"));
	expect_args("sshd: root@pts/0", 16, true);
	expect_no_problem();
}

Test(text, no_arguments_are_no_fault)
{
	new_text("", 0, "", 0);
	expect_args("", 0, true);
	expect_no_problem();
}

Test(text, a_range_of_a_billion_gigabytes_gives_what_is_mapped)
{
	new_text(ARGS("cat"), "", 0);
	guest_set(g, task->mm, F(mm_struct, arg_end), STACK + (1ULL << 60));
	expect_args("cat", 4096, false);
	expect_problem(TABLE_processes, "can't be true");
}

Test(text, a_range_that_wraps_around_is_empty)
{
	new_text(ARGS("cat"), "", 0);
	guest_set(g, task->mm, F(mm_struct, arg_end), 5);
	expect_args("", 0, true);
}

Test(text, memory_of_the_kernel_is_nobodys_arguments)
{
	uint64_t secret = guest_alloc(g, 64);

	new_text(ARGS("cat"), "", 0);
	guest_put(g, secret, "secret", 7);
	guest_set(g, task->mm, F(mm_struct, pgd), guest_va(g, g->root));
	guest_set(g, task->mm, F(mm_struct, arg_start), secret);
	guest_set(g, task->mm, F(mm_struct, arg_end), secret + 7);
	expect_args("", 0, true);
	expect_problem(TABLE_processes, "can't be true");
}

Test(text, what_is_swapped_out_is_said_to_be)
{
	uint64_t pgd;

	new_text(ARGS("cat"), "", 0);
	cr_assert(k_get(&g->k, task->mm, F(mm_struct, pgd), &pgd));
	put_entry(g, guest_entry(g, guest_pa(g, pgd), STACK, 1), 0);
	cr_expect_null(process_arguments(&w, task).p);
	struct user_text t = process_arguments(&w, task);
	process_text_check(&w, TABLE_processes, task, &t, "the arguments");
	expect_problem(TABLE_processes, "swapped");
}

Test(text, variables_are_split_at_the_first_sign)
{
	new_text("x", 1, ARGS("A=1=2\0EMPTY=\0WORD\0=odd"));
	walk_envs.run(&w);
	cr_assert_eq(log_.n[TABLE_process_envs], 4);
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_envs, 0, "key"), "A");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_envs, 0, "value"), "1=2");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_envs, 1, "value"), "");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_envs, 2, "key"), "WORD");
	cr_expect_str_eq(row_log_value(&log_, TABLE_process_envs, 3, "key"), "");
}

Test(text, an_environment_without_an_end_ends_with_its_memory)
{
	char env[4095];

	memset(env, 'x', sizeof(env));
	new_text("x", 1, env, sizeof(env));
	guest_set(g, task->mm, F(mm_struct, env_end), STACK + 0x100000);
	walk_envs.run(&w);
	cr_assert_eq(log_.n[TABLE_process_envs], 1);
	cr_expect_eq(strlen(row_log_value(&log_, TABLE_process_envs, 0, "key")), 4095);
	expect_problem(TABLE_process_envs, "not mapped");
}

Test(text, a_table_that_is_full_stays_so_and_says_it)
{
	new_text("x", 1, ARGS("A\0B\0C\0D"));
	w.max_rows = 2;
	walk_envs.run(&w);
	cr_expect_eq(log_.n[TABLE_process_envs], 2);
	expect_problem(TABLE_process_envs, "more rows than can be true");
	cr_expect_eq(log_.n[TABLE_problems], 1);
}

static const char *json(const char *p, size_t n)
{
	struct opt_text t = process_argv_json(&w, p, n);

	return arena_strndup(&w.run, t.p, t.n);
}

Test(text, arguments_as_json_keep_every_byte)
{
	cr_expect_str_eq(json(ARGS("cat\0a b\0")), "[\"cat\",\"a b\",\"\"]");
	cr_expect_str_eq(json("cat", 3), "[\"cat\"]");
	cr_expect_str_eq(json("", 0), "[]");
	cr_expect_str_eq(json(ARGS("a\"b\\c")), "[\"a\\\"b\\\\c\"]");
	cr_expect_str_eq(json(ARGS("\x1b[1m\x7f\n")), "[\"\\u001b[1m\\u007f\\u000a\"]");
	cr_expect_str_eq(json(ARGS("\xff\xc3\xa9\xc3")), "[\"\\\\xff\xc3\xa9\\\\xc3\"]");
}

Test(text, the_longest_json_fits)
{
	static char worst[100000];

	for (size_t i = 0; i < sizeof(worst); i++)
		worst[i] = (char)(i % 3 ? 1 : 0);
	cr_expect_gt(strlen(json(worst, sizeof(worst))), sizeof(worst));
	memset(worst, 0, sizeof(worst));
	cr_expect_eq(strlen(json(worst, sizeof(worst))), 3 * sizeof(worst) + 1);
	memset(worst, 1, sizeof(worst));
	cr_expect_eq(strlen(json(worst, sizeof(worst))), 6 * sizeof(worst) + 4);
}
