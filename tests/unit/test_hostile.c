// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest in whose tasks one thing is a lie: the walk ends soon, says so, and loses little.
#include "tests/unit/patched_image.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { MAPLE_ARANGE = 3 }; // enum maple_type
#define NOWHERE 0xffffc90000000000ULL

TestSuite(hostile, .init = patched_begin, .fini = patched_close, .timeout = 120);

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
	patched_walk_soon();
	cr_expect_eq(patched.log.digest, digest, "the same image gives the same rows");
}

// --- tasks ---

Test(hostile, a_task_that_follows_itself)
{
	uint64_t link = FIELD_VA(patched_process(3).addr, task_struct, tasks);

	patch_u64(link, link);
	patched_walk_soon();
	patched_expect_partial(TABLE_processes, "circle");
	cr_expect_gt(patched.log.n[TABLE_processes], 3);
}

Test(hostile, a_list_of_tasks_that_leads_back_to_its_middle)
{
	uint64_t early = FIELD_VA(patched_process(0).addr, task_struct, tasks);
	uint64_t late = FIELD_VA(patched_process(10).addr, task_struct, tasks);

	patch_u64(late, early);
	patch_u64(early + 8, late);
	patched_walk_soon();
	patched_expect_partial(TABLE_processes, "circle");
	expect_rows(TABLE_processes, 10);
}

Test(hostile, a_list_of_tasks_that_leads_into_something_else)
{
	uint64_t link = FIELD_VA(patched_process(5).addr, task_struct, tasks);

	patch_u64(link, patched_process(8).mm + 0x40);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_processes), "partial");
	cr_expect_gt(patched.log.n[TABLE_processes], 5);
}

Test(hostile, a_list_of_tasks_that_ends_at_once)
{
	patch_u64(FIELD_VA(patched.k->init_task, task_struct, tasks), NOWHERE);
	patched_walk_kept();
	patched_expect_partial(TABLE_processes, "memory that is not there");
	// the pid table has them all
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes], "%zu and %zu",
		     patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	cr_expect_eq(row_log_find(&patched.log, TABLE_processes, "found_by", "tasks"),
		     patched.log.n[TABLE_processes]);
	cr_expect_eq(patched.log.n[TABLE_kernel_modules], patched.honest[TABLE_kernel_modules]);
}

Test(hostile, a_process_taken_out_of_the_list)
{
	struct task hidden = patched_process(6);
	uint64_t link = FIELD_VA(hidden.addr, task_struct, tasks), next, prev;

	cr_assert(k_u64(patched.k, link, &next) && k_u64(patched.k, link + 8, &prev));
	patch_u64(prev, next);
	patched_walk_kept();
	patched_expect_partial(TABLE_processes, "link back");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	size_t i = row_log_find(&patched.log, TABLE_inconsistencies, "class", "unlisted");
	cr_assert_lt(i, patched.log.n[TABLE_inconsistencies]);
	cr_expect_str_eq(row_log_value(&patched.log, TABLE_inconsistencies, i, "scope"),
			 "cross-view");
	i = row_log_find(&patched.log, TABLE_processes, "found_by", "pid");
	cr_assert_lt(i, patched.log.n[TABLE_processes]);
	const char *pid = row_log_value(&patched.log, TABLE_processes, i, "pid");
	cr_expect_eq(strtoll(pid, NULL, 10), hidden.pid);
}

// As a rootkit takes it: out of the list, with the links mended, and out of the table of pids.
Test(hostile, a_process_taken_out_of_the_list_and_the_pids)
{
	struct task hidden = patched_process(6);
	uint64_t link = FIELD_VA(hidden.addr, task_struct, tasks), next, prev;
	uint64_t pid = READ(hidden.addr, task_struct, thread_pid);

	cr_assert(k_u64(patched.k, link, &next) && k_u64(patched.k, link + 8, &prev));
	patch_u64(prev, next);
	patch_u64(next + 8, prev);
	patch_u64(FIELD_VA(pid, pid, tasks), 0);
	patched_walk_kept();
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	size_t i = row_log_find(&patched.log, TABLE_inconsistencies, "class", "unlisted");
	cr_assert_lt(i, patched.log.n[TABLE_inconsistencies]);
	const char *evidence = row_log_value(&patched.log, TABLE_inconsistencies, i, "evidence");
	cr_expect(strstr(evidence, "views=children,") && strstr(evidence, "css_set") &&
			  strstr(evidence, "task_scan tasklist_lock=free"),
		  "%s", evidence);
	const char *its = row_log_value(&patched.log, TABLE_inconsistencies, i, "pid");
	cr_expect_eq(strtoll(its, NULL, 10), hidden.pid);
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

Test(hostile, a_thread_taken_out_of_its_process)
{
	struct task leader = threaded();
	const struct task *t = task_at(patched.w.tasks, leader.addr) + 1;
	uint64_t link = FIELD_VA(t->addr, task_struct, thread_node), next, prev;
	int64_t tid = t->tid;

	cr_assert(k_u64(patched.k, link, &next) && k_u64(patched.k, link + 8, &prev));
	patch_u64(prev, next);
	patch_u64(next + 8, prev);
	patched_walk_kept();
	cr_expect_eq(patched.log.n[TABLE_threads], patched.honest[TABLE_threads]);
	size_t i = row_log_find(&patched.log, TABLE_inconsistencies, "class", "unlisted");
	cr_assert_lt(i, patched.log.n[TABLE_inconsistencies]);
	const char *its = row_log_value(&patched.log, TABLE_inconsistencies, i, "tid");
	cr_expect_eq(strtoll(its, NULL, 10), tid);
}

Test(hostile, threads_in_a_circle)
{
	struct task t = threaded();
	uint64_t link = FIELD_VA(t.addr, task_struct, thread_node);

	patch_u64(link, link);
	patched_walk_soon();
	patched_expect_partial(TABLE_threads, "circle");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, threads_that_lead_to_another_process)
{
	struct task t = patched_process(2);

	patch_u64(FIELD_VA(t.addr, task_struct, thread_node),
		  FIELD_VA(patched_process(4).addr, task_struct, thread_node));
	patched_walk_soon();
	patched_expect_partial(TABLE_threads, "not one of them");
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
	// what the list misses is in the pid table
	cr_expect_eq(patched.log.n[TABLE_threads], patched.honest[TABLE_threads]);
}

Test(hostile, all_processes_with_one_signal_struct)
{
	for (size_t i = 1; i < 10; i++)
		patch_field(patched_process(i).addr, F(task_struct, signal),
			    patched_process(0).signal);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	cr_expect_eq(patched.log.n[TABLE_processes], patched.honest[TABLE_processes]);
}

Test(hostile, a_name_without_an_end)
{
	struct task t = patched_process(0);

	patch_bytes(FIELD_VA(t.addr, task_struct, comm), "\x1b]0;\xff\xfe'\"<>%s%n&&", 16);
	patched_walk_soon();
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
	patched_walk_soon();
	patched_expect_partial(TABLE_process_memory_map, "the mappings of a process");
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
	patched_walk_soon();
	cr_expect(patched.w.damaged);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_process_memory_map), "partial");
}

Test(hostile, page_tables_that_lead_to_themselves)
{
	struct task t = patched_process(2);
	uint64_t pgd = READ(t.mm, mm_struct, pgd), pa = patched_pa(pgd);

	for (uint64_t i = 0; i < 256; i++)
		patch_u64(pgd + i * 8, pa | 7);
	patched_walk_soon();
	patched_expect_partial(TABLE_process_page_map, "lead to themselves");
	cr_expect_leq(patched.log.n[TABLE_process_page_map],
		      patched.honest[TABLE_process_page_map] + 1024);
}

Test(hostile, page_tables_that_are_all_of_memory)
{
	struct task t = patched_process(2);
	uint64_t pgd = READ(t.mm, mm_struct, pgd);

	for (uint64_t i = 0; i < 256; i++)
		patch_u64(pgd + i * 8, i << 20 | 7);
	patched_walk_soon();
	cr_expect(patched.w.damaged);
}

Test(hostile, arguments_of_a_billion_gigabytes)
{
	struct task t = patched_process(1);

	patch_field(t.mm, F(mm_struct, arg_end), READ(t.mm, mm_struct, arg_start) + (1ULL << 60));
	patch_field(t.mm, F(mm_struct, env_end), READ(t.mm, mm_struct, env_start) + (1ULL << 60));
	patched_walk_soon();
	patched_expect_partial(TABLE_processes, "can't be true");
	patched_expect_partial(TABLE_process_envs, "can't be true");
}

Test(hostile, arguments_that_lie_in_the_kernel)
{
	struct task t = patched_process(1);

	patch_field(t.mm, F(mm_struct, arg_start), t.addr);
	patch_field(t.mm, F(mm_struct, arg_end), t.addr + 4096);
	patched_walk_soon();
	patched_expect_partial(TABLE_processes, "can't be true");
}

Test(hostile, memory_counters_of_any_size)
{
	struct task t = patched_process(1);
	uint8_t ones[64];

	for (unsigned fill = 0x7f; fill <= 0xff; fill += 0x80) {
		memset(ones, (int)fill, sizeof(ones));
		patch_bytes(FIELD_VA(t.mm, mm_struct, rss_stat), ones, 24);
		patch_bytes(FIELD_VA(t.mm, mm_struct, total_vm), ones, 8);
		patched_walk_soon();
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
			patched_walk_soon();
			cr_expect_eq(patched.log.n[TABLE_processes],
				     patched.honest[TABLE_processes]);
		}
}
