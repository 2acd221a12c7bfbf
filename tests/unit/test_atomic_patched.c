// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest in which one value is of another time: the rule that it breaks says so, no other
// rule does, and a lock that is held excuses it.
#include "tests/unit/patched_image.h"

#include "src/kernel/iter.h"
#include "src/walk/slabs.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

TestSuite(atomic_patched, .init = patched_begin, .fini = patched_close, .timeout = 120);

static const char *of_rule(const char *rule, const char *column)
{
	size_t i = row_log_find(&patched.log, TABLE_atomicity, "invariant", rule);

	cr_assert_lt(i, patched.log.n[TABLE_atomicity], "no rule %s", rule);
	const char *value = row_log_value(&patched.log, TABLE_atomicity, i, column);
	return value ? value : "";
}

static long count(const char *rule, const char *column)
{
	return strtol(of_rule(rule, column), NULL, 10);
}

// With what is patched so far.
static void expect_only_broken(const char *rule, const char *part)
{
	patched_walk_kept();
	cr_expect_eq(count(rule, "violated"), 1, "%s: %ld violations", rule,
		     count(rule, "violated"));
	cr_expect(strstr(of_rule(rule, "worst_example"), part), "%s",
		  of_rule(rule, "worst_example"));
	for (size_t i = 0; i < patched.log.n[TABLE_atomicity]; i++) {
		const char *name = row_log_value(&patched.log, TABLE_atomicity, i, "invariant");
		cr_expect(strcmp(name, rule) == 0 || count(name, "violated") == 0, "%s", name);
	}
}

static void expect_excused(const char *rule)
{
	patched_walk_kept();
	cr_expect_eq(count(rule, "violated"), 0);
	cr_expect_eq(count(rule, "excused_by_lock"), 1);
}

static uint64_t run_queue(size_t cpu)
{
	return k_percpu(patched.k, patched.k->symbol[S(runqueues)], cpu);
}

static void expect_whole(const char *rule)
{
	cr_expect_gt(count(rule, "evaluated"), 0, "%s", rule);
	cr_expect_eq(count(rule, "violated"), 0, "%s: %s", rule, of_rule(rule, "worst_example"));
	cr_expect_eq(count(rule, "unevaluable"), 0, "%s", rule);
}

Test(atomic_patched, the_guest_itself_keeps_the_rules)
{
	patched_walk_kept();
	expect_whole("children");
	expect_whole("css_members");
	expect_whole("run_queues");
	expect_whole("current_tasks");
	expect_whole("pid_cursor");
	expect_whole("page_tables");
	expect_whole("page_counts");
	expect_whole("file_refs");
	expect_whole("slab_counts");
}

// Takes the list_head at this address out of its ring.
static void take_out(uint64_t link)
{
	uint64_t next, prev;

	cr_assert(k_u64(patched.k, link, &next) && k_u64(patched.k, link + 8, &prev));
	patch_u64(prev, next);
	patch_u64(next + 8, prev);
}

Test(atomic_patched, a_process_that_its_parent_does_not_have)
{
	take_out(FIELD_VA(patched_process(4).addr, task_struct, sibling));
	expect_only_broken("children", "children=without it");
	patch_u32(patched.k->symbol[S(tasklist_lock)], 1);
	expect_excused("children");
}

// Others count these lists, too.
Test(atomic_patched, a_task_that_its_control_group_does_not_have)
{
	take_out(FIELD_VA(patched_process(4).addr, task_struct, cg_list));
	patched_walk_kept();
	cr_expect_eq(count("css_members", "violated"), 1);
	cr_expect_eq(count("css_counts", "violated"), 1);
	patch_u32(patched.k->symbol[S(css_set_lock)], 1);
	expect_excused("css_members");
}

Test(atomic_patched, a_task_that_waits_in_no_queue)
{
	uint64_t task = patched_process(4).addr;

	cr_assert_eq(READ(task, task_struct, on_rq), 0, "it sleeps");
	patch_field(task, F(task_struct, on_rq), 1);
	expect_only_broken("run_queues", "on_rq=1 queued=0");
	patch_u32(FIELD_VA(run_queue(0), rq, lock), 1);
	expect_excused("run_queues");
}

Test(atomic_patched, a_cpu_that_runs_two_tasks)
{
	patch_field(run_queue(1), F(rq, curr), patched_process(4).addr);
	expect_only_broken("current_tasks", "cpu=1 rq.curr=");
	patch_u32(FIELD_VA(run_queue(1), rq, lock), 1);
	expect_excused("current_tasks");
}

Test(atomic_patched, a_task_whose_number_is_still_to_come)
{
	uint64_t pid = READ(patched.k->init_task, task_struct, thread_pid);
	uint64_t ns = READ(FIELD_VA(pid, pid, numbers), upid, ns);

	patch_field(ns, F(pid_namespace, idr_next), 2);
	expect_only_broken("pid_cursor", "idr_next=2");
}

Test(atomic_patched, a_page_table_that_nobody_counted)
{
	struct task t = patched_process(4);

	patch_field(t.mm, F(mm_struct, pgtables_bytes), 4096);
	expect_only_broken("page_tables", "pgtables_bytes=4096 tables=");
	patch_u32(FIELD_VA(t.mm, mm_struct, page_table_lock), 1);
	expect_excused("page_tables");
}

// The first open file of a process whose inode has pages.
static uint64_t file_with_pages(void)
{
	for (size_t n = 0;; n++) {
		uint64_t fdt = READ(patched_process(n).files, files_struct, fdt), file;
		uint64_t slots = READ(fdt, fdtable, fd);
		for (uint64_t fd = 0; fd < 16; fd++) {
			if (!k_ptr(patched.k, slots + fd * 8, &file) || !file)
				continue;
			uint64_t mapping = READ(READ(file, file, f_inode), inode, i_mapping);
			if (READ(mapping, address_space, nrpages))
				return file;
		}
	}
}

Test(atomic_patched, a_page_that_nobody_counted)
{
	uint64_t mapping = READ(READ(file_with_pages(), file, f_inode), inode, i_mapping);

	patch_field(mapping, F(address_space, nrpages), 1000);
	expect_only_broken("page_counts", "nrpages=1000");
	patch_u32(FIELD_VA(mapping, address_space, i_pages_lock), 1);
	expect_excused("page_counts");
}

Test(atomic_patched, an_open_file_without_references)
{
	patch_field(file_with_pages(), F(file, f_count), 0);
	expect_only_broken("file_refs", "count=0");
}

Test(atomic_patched, an_open_file_of_another_inode)
{
	uint64_t file = file_with_pages();
	uint64_t dentry = READ(FIELD_VA(file, file, f_path), path, dentry);

	patch_field(dentry, F(dentry, d_inode), READ(file, file, f_inode) + 64);
	expect_only_broken("file_refs", "d_inode=");
}

// The first slab in a list of those that are not full, its cache, and the memory node whose list it
// is.
static uint64_t partial_slab(uint64_t *cache, uint64_t *node)
{
	struct kernel *k = patched.k;
	struct list_iter caches, slabs;
	uint64_t link, slab;

	list_begin(&caches, k, k->symbol[S(slab_caches)], 1000);
	while (list_next(&caches, &link)) {
		*cache = k_container(k, link, F(kmem_cache, list));
		if (!slab_node(k, *cache, 0, node))
			continue;
		list_begin(&slabs, k, FIELD_VA(*node, kmem_cache_node, partial), 1000);
		if (list_next(&slabs, &slab))
			return k_container(k, slab, F(slab, slab_list));
	}
	cr_skip_test("no slab of this guest is in such a list");
	return 0;
}

Test(atomic_patched, an_object_that_nobody_counted)
{
	uint64_t cache, node, slab = partial_slab(&cache, &node);

	patch_field(slab, F(slab, freelist), 0);
	expect_only_broken("slab_counts", "objects=");
	patch_u32(FIELD_VA(node, kmem_cache_node, list_lock), 1);
	expect_excused("slab_counts");
}

Test(atomic_patched, free_objects_in_a_circle)
{
	uint64_t cache, node, slab = partial_slab(&cache, &node);
	uint64_t first = READ(slab, slab, freelist), at = first + READ(cache, kmem_cache, offset);

	patch_u64(at, first ^ READ(cache, kmem_cache, random) ^ __builtin_bswap64(at));
	expect_only_broken("slab_counts", "objects=");
}
