// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether memory was read at one instant: rules that hold, that a held lock excuses, that are
// broken, and the verdict.
#include "src/check/atomicity.h"
#include "src/check/check.h"
#include "src/kernel/iter.h"
#include "tests/unit/kernel_builder.h"
#include "tests/unit/row_log.h"

#include <criterion/criterion.h>

#include <string.h>

enum { STACK_END_MAGIC = 0x57AC6E9D, TASK_DEAD = 0x80 };

static struct guest *g;
static struct row_log log_;
static struct walk w;
static struct tasks *ts;
static struct atomicity a;

static void make(void)
{
	g = guest_new(4);
	row_log_init(&log_);
	walk_init(&w, &g->k, &log_.sink, log_.wanted);
	ts = w.tasks = mem_zalloc(1, sizeof(*ts));
	g->k.init_task = guest_alloc(g, guest_struct(g, "task_struct"));
	guest_place(g, F(qspinlock, val), 0, 4);
	a = (struct atomicity){.w = &w, .budget = 10000, .near = 4096};
}

static void unmake(void)
{
	atomicity_fini(&a);
	walk_fini(&w);
	row_log_fini(&log_);
	guest_free(g);
}

TestSuite(atomicity, .init = make, .fini = unmake);

static void expect_counts(enum invariant rule, uint64_t evaluated, uint64_t violated,
			  uint64_t excused, uint64_t unevaluable)
{
	const struct invariant_count *c = &a.of[rule];

	cr_expect_eq(c->evaluated, evaluated, "%llu evaluated", (unsigned long long)c->evaluated);
	cr_expect_eq(c->violated, violated, "%llu violated", (unsigned long long)c->violated);
	cr_expect_eq(c->excused, excused, "%llu excused", (unsigned long long)c->excused);
	cr_expect_eq(c->unevaluable, unevaluable, "%llu unevaluable",
		     (unsigned long long)c->unevaluable);
}

static struct task *new_task(void)
{
	uint64_t addr = guest_alloc(g, guest_struct(g, "task_struct"));
	struct task *t = vec_add(&ts->all);

	*t = (struct task){.addr = addr, .leader = addr, .n_threads = 1};
	t->has_pid = t->has_tid = true;
	t->pid = t->tid = (int64_t)ts->all.n;
	u64map_add(&ts->by_addr, addr, ts->all.n - 1);
	return t;
}

// --- counts and locks ---

static const struct violation of_counts = {.rule = INV_nr_threads};

Test(atomicity, equal_values_hold_and_others_are_broken)
{
	rule_equal(&a, &of_counts, "one", 7, "other", 7);
	rule_equal(&a, &of_counts, "one", 7, "other", 8);
	expect_counts(INV_nr_threads, 2, 1, 0, 0);
	cr_expect_str_eq(a.of[INV_nr_threads].worst, "one=7 other=8");
}

Test(atomicity, a_surplus_of_references_is_no_fault)
{
	rule_at_least(&a, &of_counts, "count", 8, "tasks", 7);
	rule_at_least(&a, &of_counts, "count", 6, "tasks", 7);
	expect_counts(INV_nr_threads, 2, 1, 0, 0);
}

Test(atomicity, the_worst_example_is_that_which_is_farthest_off)
{
	rule_equal(&a, &of_counts, "one", 7, "other", 9);
	rule_equal(&a, &of_counts, "one", 7, "other", 70);
	rule_equal(&a, &of_counts, "one", 7, "other", 8);
	cr_expect_str_eq(a.of[INV_nr_threads].worst, "one=7 other=70");
}

Test(atomicity, a_held_lock_excuses_one_that_is_at_it_but_not_many)
{
	struct violation v = {.rule = INV_nr_threads, .lock = LOCK_HELD};

	for (int i = 0; i < 4; i++)
		cr_expect_not(rule_broken(&a, &v, "broken"));
	expect_counts(INV_nr_threads, 4, 0, 4, 0);
	cr_expect(rule_broken(&a, &v, "broken"));
	expect_counts(INV_nr_threads, 5, 1, 4, 0);
}

Test(atomicity, a_lock_that_does_not_tell_leaves_a_rule_open)
{
	struct violation v = {.rule = INV_nr_threads, .lock = LOCK_UNKNOWN};

	cr_expect_not(rule_broken(&a, &v, "broken"));
	expect_counts(INV_nr_threads, 0, 0, 0, 1);
}

Test(atomicity, words_of_locks)
{
	uint64_t lock = guest_alloc(g, 8);

	cr_expect_eq(k_spinlock(&g->k, lock), LOCK_FREE);
	cr_expect_eq(k_rwlock_writer(&g->k, lock), LOCK_FREE);
	put_u32(g, lock, 0x100); // someone waits; for a rwlock, readers or waiters
	cr_expect_eq(k_spinlock(&g->k, lock), LOCK_HELD);
	cr_expect_eq(k_rwlock_writer(&g->k, lock), LOCK_FREE);
	put_u32(g, lock, 0xff);
	cr_expect_eq(k_rwlock_writer(&g->k, lock), LOCK_HELD);
	cr_expect_eq(k_spinlock(&g->k, 0), LOCK_UNKNOWN);
	guest_unplace(g, F(qspinlock, val));
	cr_expect_eq(k_spinlock(&g->k, lock), LOCK_UNKNOWN);
	cr_expect_eq(k_rwlock_writer(&g->k, lock), LOCK_UNKNOWN);
}

Test(atomicity, what_hits_a_task_is_a_row_with_both_values)
{
	struct violation v = {
		.rule = INV_thread_counts, .task = new_task(), .class = "attribute-changed"};

	rule_equal(&a, &v, "signal.nr_threads", 3, "thread_head", 2);
	cr_assert_eq(log_.n[TABLE_inconsistencies], 1);
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "scope"), "extrinsic");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "class"),
			 "attribute-changed");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "evidence"),
			 "signal.nr_threads=3 thread_head=2");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "tid"), "1");
}

// --- rings ---

static const struct violation of_links = {.rule = INV_free_links};

// A head and two nodes, the last of them pages away.
static uint64_t ring[3];

static void make_ring(void)
{
	ring[0] = guest_alloc(g, 16);
	ring[1] = guest_alloc(g, 16);
	guest_alloc(g, 4 * 4096);
	ring[2] = guest_alloc(g, 16);
	put_ring(g, ring, 3);
}

Test(atomicity, every_link_of_a_whole_ring_holds)
{
	make_ring();
	cr_expect_eq(rule_ring(&a, &of_links, ring[0]), 2);
	expect_counts(INV_free_links, 3, 0, 0, 0);
	cr_expect_eq(a.of[INV_free_links].near, 1);
	cr_expect_eq(a.of[INV_free_links].far, 2);
}

Test(atomicity, a_link_back_that_is_of_another_time_is_broken)
{
	make_ring();
	put_links(g, ring[2], ring[0], ring[0]);
	rule_ring(&a, &of_links, ring[0]);
	expect_counts(INV_free_links, 3, 1, 0, 0);
	cr_expect_eq(a.of[INV_free_links].far_violated, 1);
	cr_expect_eq(a.of[INV_free_links].near_violated, 0);
}

Test(atomicity, an_empty_ring_holds)
{
	uint64_t head = guest_alloc(g, 16);

	put_links(g, head, head, head);
	cr_expect_eq(rule_ring(&a, &of_links, head), 0);
	expect_counts(INV_free_links, 1, 0, 0, 0);
}

Test(atomicity, a_ring_that_leads_nowhere_is_broken)
{
	make_ring();
	put_u64(g, ring[1], 0);
	rule_ring(&a, &of_links, ring[0]);
	expect_counts(INV_free_links, 2, 1, 0, 0);
	cr_expect(strstr(a.of[INV_free_links].worst, "unreadable"));
}

Test(atomicity, a_ring_that_misses_its_head_is_broken)
{
	make_ring();
	put_links(g, ring[1], ring[2], ring[2]);
	put_links(g, ring[2], ring[1], ring[1]); // never back to the head
	rule_ring(&a, &of_links, ring[0]);
	cr_expect_eq(a.of[INV_free_links].violated, 2); // the first link back, and the circle
	cr_expect_gt(a.budget, 9000);
}

Test(atomicity, a_ring_costs_no_more_than_the_budget)
{
	make_ring();
	a.budget = 1;
	rule_ring(&a, &of_links, ring[0]);
	cr_expect_eq(a.budget, 0);
	expect_counts(INV_free_links, 1, 0, 0, 1);
}

Test(atomicity, a_head_in_an_absent_page_tells_nothing)
{
	uint64_t gone = guest_page(g);

	guest_drop(g, gone);
	rule_ring(&a, &of_links, guest_va(g, gone));
	expect_counts(INV_free_links, 0, 0, 0, 1);
}

// --- rules of tasks, memory and files ---

// Of a task by itself: nothing else is placed, and so nothing else can be evaluated.
static void place_only_stack(void)
{
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		guest_unplace(g, (enum field)f);
	guest_place(g, F(task_struct, stack), 0, 8);
	guest_place(g, F(task_struct, state), 8, 8);
	guest_place(g, F(task_struct, thread_info), 16, 8); // not in the stack
}

Test(atomicity, a_stack_ends_in_its_magic)
{
	struct task *t = new_task();
	uint64_t stack = guest_alloc(g, 16);

	place_only_stack();
	guest_set(g, t->addr, F(task_struct, stack), stack);
	put_u64(g, stack, STACK_END_MAGIC);
	atomicity_of_tasks(&a);
	expect_counts(INV_stacks, 1, 0, 0, 0);
	put_u64(g, stack, 1);
	atomicity_of_tasks(&a);
	expect_counts(INV_stacks, 2, 1, 0, 0);
}

Test(atomicity, only_the_dead_have_no_stack)
{
	struct task *t = new_task();

	place_only_stack();
	guest_set(g, t->addr, F(task_struct, state), TASK_DEAD);
	atomicity_of_tasks(&a);
	expect_counts(INV_stacks, 1, 0, 0, 0);
	guest_set(g, t->addr, F(task_struct, state), 1);
	atomicity_of_tasks(&a);
	expect_counts(INV_stacks, 2, 1, 0, 0);
}

Test(atomicity, a_stack_that_the_image_lacks_tells_nothing)
{
	struct task *t = new_task();
	uint64_t gone = guest_page(g);

	place_only_stack();
	guest_drop(g, gone);
	guest_set(g, t->addr, F(task_struct, stack), guest_va(g, gone));
	atomicity_of_tasks(&a);
	expect_counts(INV_stacks, 0, 0, 0, 1);
}

static uint64_t two_tasks_with(enum field what, const char *type)
{
	uint64_t shared = guest_alloc(g, guest_struct(g, type));

	for (int i = 0; i < 2; i++) {
		struct task *t = new_task();
		guest_set(g, t->addr, what, shared);
		t->mm = shared;
	}
	return shared;
}

Test(atomicity, an_mm_has_at_least_the_users_that_use_it)
{
	uint64_t mm = two_tasks_with(F(task_struct, mm), "mm_struct");

	guest_set(g, mm, F(mm_struct, mm_users), 2);
	atomicity_of_memory(&a);
	expect_counts(INV_mm_users, 1, 0, 0, 0);
	guest_set(g, mm, F(mm_struct, mm_users), 1);
	atomicity_of_memory(&a);
	expect_counts(INV_mm_users, 2, 1, 0, 0);
	cr_expect(strstr(a.of[INV_mm_users].worst, "mm_users=1 tasks=2"));
}

// Two mappings of one page in the list of kernels before 6.1.
static uint64_t mm_with_mappings(void)
{
	uint64_t mm = two_tasks_with(F(task_struct, mm), "mm_struct");
	uint64_t vma[2] = {guest_alloc(g, guest_struct(g, "vm_area_struct")),
			   guest_alloc(g, guest_struct(g, "vm_area_struct"))};

	guest_unplace(g, F(mm_struct, mm_mt));
	guest_set(g, mm, F(mm_struct, mm_users), 2);
	guest_set(g, mm, F(mm_struct, mmap), vma[0]);
	guest_set(g, vma[0], F(vm_area_struct, vm_next), vma[1]);
	for (size_t i = 0; i < 2; i++) {
		guest_set(g, vma[i], F(vm_area_struct, vm_start), 0x400000 + i * 0x10000);
		guest_set(g, vma[i], F(vm_area_struct, vm_end), 0x401000 + i * 0x10000);
		guest_set(g, vma[i], F(vm_area_struct, vm_mm), mm);
	}
	guest_set(g, mm, F(mm_struct, map_count), 2);
	guest_set(g, mm, F(mm_struct, total_vm), 2);
	return mm;
}

Test(atomicity, mappings_add_up)
{
	(void)mm_with_mappings();
	atomicity_of_memory(&a);
	expect_counts(INV_mappings, 1, 0, 0, 0);
	expect_counts(INV_map_counts, 1, 0, 0, 0);
	expect_counts(INV_total_vm, 1, 0, 0, 0);
}

Test(atomicity, mappings_that_do_not_add_up_are_excused_by_their_writer_only)
{
	uint64_t mm = mm_with_mappings();

	guest_set(g, mm, F(mm_struct, map_count), 3);
	guest_set(g, mm, F(mm_struct, total_vm), 1);
	guest_set(g, mm, F(mm_struct, mmap_lock), 0x100); // a reader
	atomicity_of_memory(&a);
	expect_counts(INV_map_counts, 1, 1, 0, 0);
	expect_counts(INV_total_vm, 1, 0, 1, 0);
	guest_set(g, mm, F(mm_struct, mmap_lock), 1);
	atomicity_of_memory(&a);
	expect_counts(INV_map_counts, 2, 1, 1, 0);
	expect_counts(INV_total_vm, 2, 0, 2, 0);
}

Test(atomicity, a_mapping_of_another_mm_is_of_another_time)
{
	uint64_t mm = mm_with_mappings(), vma = guest_field(g, mm, F(mm_struct, mmap));

	guest_set(g, k_or0(&g->k, mm, F(mm_struct, mmap)), F(vm_area_struct, vm_mm), mm + 8);
	(void)vma;
	atomicity_of_memory(&a);
	expect_counts(INV_mappings, 1, 1, 0, 0);
	cr_expect(strstr(a.of[INV_mappings].worst, "vm_mm"));
}

// A table of 64 descriptors, of which the first is open.
static uint64_t bits, slots;

static uint64_t files_with_one(void)
{
	uint64_t files = two_tasks_with(F(task_struct, files), "files_struct");
	uint64_t fdt = guest_alloc(g, guest_struct(g, "fdtable"));

	bits = guest_alloc(g, 8);
	slots = guest_alloc(g, 64 * 8);
	guest_set(g, files, F(files_struct, count), 2);
	guest_set(g, files, F(files_struct, fdt), fdt);
	guest_set(g, fdt, F(fdtable, max_fds), 64);
	guest_set(g, fdt, F(fdtable, fd), slots);
	guest_set(g, fdt, F(fdtable, open_fds), bits);
	put_u64(g, bits, 1);
	put_u64(g, slots, files);
	return files;
}

Test(atomicity, an_open_file_has_its_bit)
{
	uint64_t files = files_with_one();

	atomicity_of_files(&a);
	expect_counts(INV_file_bits, 1, 0, 0, 0);
	expect_counts(INV_file_slots, 1, 0, 0, 0);
	expect_counts(INV_file_counts, 1, 0, 0, 0);
	put_u64(g, bits, 0);
	atomicity_of_files(&a);
	expect_counts(INV_file_bits, 2, 1, 0, 0);
	put_u32(g, guest_field(g, files, F(files_struct, file_lock)), 1);
	atomicity_of_files(&a);
	expect_counts(INV_file_bits, 3, 1, 1, 0);
}

Test(atomicity, a_bit_without_a_file_may_be_an_open_under_way)
{
	(void)files_with_one();
	put_u64(g, slots, 0);
	atomicity_of_files(&a);
	expect_counts(INV_file_bits, 1, 0, 0, 0);
	expect_counts(INV_file_slots, 1, 1, 0, 0);
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

Test(atomicity, a_table_that_claims_too_much_is_not_read)
{
	uint64_t files = files_with_one(), fdt = k_or0(&g->k, files, F(files_struct, fdt));

	guest_set(g, fdt, F(fdtable, max_fds), 1ULL << 60);
	atomicity_of_files(&a);
	expect_counts(INV_file_bits, 0, 0, 0, 1);
}

// --- the verdict ---

static const char *verdict_of(enum invariant rule, uint64_t evaluated, uint64_t violated)
{
	a.of[rule].evaluated = evaluated;
	a.of[rule].violated = violated;
	atomicity_report(&a);
	return w.atomicity;
}

Test(atomicity, verdicts)
{
	cr_expect_str_eq(verdict_of(INV_task_links, 99, 0), "undecidable");
	cr_expect_str_eq(verdict_of(INV_task_links, 100, 0), "atomic-compatible");
	cr_expect_str_eq(verdict_of(INV_task_links, 100, 1), "locally torn");
	cr_expect_str_eq(verdict_of(INV_task_links, 100, 3), "locally torn");
	cr_expect_str_eq(verdict_of(INV_task_links, 100, 4), "torn");
	cr_expect(strstr(w.atomicity_reason, "4 of 100 hard checks violated"));
}

Test(atomicity, a_few_violations_of_many_rules_are_torn)
{
	(void)verdict_of(INV_task_links, 100, 1);
	(void)verdict_of(INV_parents, 100, 1);
	cr_expect_str_eq(verdict_of(INV_map_counts, 100, 1), "torn");
}

Test(atomicity, soft_rules_make_no_verdict)
{
	(void)verdict_of(INV_task_links, 100, 0);
	cr_expect_str_eq(verdict_of(INV_file_slots, 100, 50), "atomic-compatible");
}

Test(atomicity, every_rule_has_its_row)
{
	(void)verdict_of(INV_task_links, 100, 2);
	cr_expect_eq(log_.n[TABLE_atomicity], INVARIANT_COUNT);
	size_t i = row_log_find(&log_, TABLE_atomicity, "invariant", "task_links");
	cr_expect_str_eq(row_log_value(&log_, TABLE_atomicity, i, "violated"), "2");
	cr_expect_str_eq(row_log_value(&log_, TABLE_atomicity, i, "lock"), "tasklist_lock");
	cr_expect_null(row_log_value(&log_, TABLE_atomicity, i, "near"));
}

// A kernel of which nothing is known gives no verdict and no fault.
Test(atomicity, without_fields_and_symbols_nothing_is_decided)
{
	(void)new_task();
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		guest_unplace(g, (enum field)f);
	check_atomicity(&w);
	cr_expect_str_eq(w.atomicity, "undecidable");
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

// --- lookups in xarrays ---

static uint64_t head, node, first;

static void make_xarray(void)
{
	head = guest_alloc(g, 8);
	guest_place(g, F(xa_node, shift), 0, 1);
	guest_place_array(g, F(xa_node, slots), 8, 8, 64);
	node = guest_alloc(g, 8 + 64 * 8);
}

static uint64_t load(uint64_t index)
{
	uint64_t entry = 1;

	cr_assert(xa_load(&g->k, head, index, &entry, &first));
	return entry;
}

Test(atomicity, an_entry_alone_is_at_index_0)
{
	make_xarray();
	cr_expect_eq(load(0), 0);
	put_u64(g, head, node);
	cr_expect_eq(load(0), node);
	cr_expect_eq(load(1), 0);
}

Test(atomicity, an_entry_lies_in_the_slot_of_its_index)
{
	make_xarray();
	put_u64(g, head, node + 2);
	put_u64(g, node + 8 + 5 * 8, head);
	cr_expect_eq(load(5), head);
	cr_expect_eq(load(6), 0);
	cr_expect_eq(load(69), 0); // beyond the tree, not slot 5
}

Test(atomicity, siblings_stand_for_the_slot_they_name)
{
	make_xarray();
	put_u64(g, head, node + 2);
	put_u64(g, node + 8 + 4 * 8, head);
	for (uint64_t i = 5; i < 8; i++)
		put_u64(g, node + 8 + i * 8, 4 << 2 | 2);
	put_u64(g, node + 8 + 8 * 8, 9 << 2 | 2); // no sibling: a later slot
	cr_expect_eq(load(7), head);
	cr_expect_eq(first, 4);
	cr_expect_eq(load(4), head);
	cr_expect_eq(first, 4);
	cr_expect_eq(load(8), 0);
}

Test(atomicity, an_entry_of_order_6_covers_64_indexes)
{
	make_xarray();
	put_u64(g, head, node + 2);
	guest_set(g, node, F(xa_node, shift), 6);
	put_u64(g, node + 8 + 3 * 8, head);
	put_u64(g, node + 8 + 4 * 8, 3 << 2 | 2); // of order 7
	cr_expect_eq(load(3 * 64 + 63), head);
	cr_expect_eq(first, 3 * 64);
	cr_expect_eq(load(4 * 64 + 1), head);
	cr_expect_eq(first, 3 * 64);
	cr_expect_eq(load(2 * 64 + 63), 0);
}

Test(atomicity, a_sibling_of_a_node_makes_no_sense)
{
	uint64_t entry;

	make_xarray();
	put_u64(g, head, node + 2);
	guest_set(g, node, F(xa_node, shift), 6);
	put_u64(g, node + 8, node + 2);
	put_u64(g, node + 8 + 8, 2);
	cr_expect_not(xa_load(&g->k, head, 64, &entry, NULL));
}

Test(atomicity, a_tree_that_runs_in_a_circle_ends)
{
	uint64_t entry;

	make_xarray();
	put_u64(g, head, node + 2);
	put_u64(g, node + 8, node + 2);
	cr_expect_not(xa_load(&g->k, head, 0, &entry, NULL));
}

// --- how many pointers an xarray has ---

static uint64_t pointers(void)
{
	uint64_t n = 99, budget = 100;

	cr_assert_eq(xa_count(&g->k, head, &budget, &n), ITER_END);
	return n;
}

Test(atomicity, pointers_count_and_numbers_do_not)
{
	make_xarray();
	cr_expect_eq(pointers(), 0);
	put_u64(g, head, node);
	cr_expect_eq(pointers(), 1);
	put_u64(g, head, node + 2);
	put_u64(g, node + 8, head);
	put_u64(g, node + 8 + 8, 5); // a number: the shadow of a page that was dropped
	put_u64(g, node + 8 + 3 * 8, head);
	cr_expect_eq(pointers(), 2);
}

Test(atomicity, an_entry_of_a_higher_order_counts_for_its_range)
{
	uint64_t top = guest_alloc(g, 8 + 64 * 8);

	make_xarray();
	put_u64(g, head, node + 2);
	put_u64(g, node + 8 + 4 * 8, head);
	for (uint64_t i = 5; i < 8; i++)
		put_u64(g, node + 8 + i * 8, 4 << 2 | 2); // as slot 4
	cr_expect_eq(pointers(), 4);
	put_u64(g, node + 8 + 4 * 8, 5);
	cr_expect_eq(pointers(), 0, "siblings of a number");
	guest_set(g, top, F(xa_node, shift), 6);
	put_u64(g, top + 8 + 8, head);
	put_u64(g, head, top + 2);
	cr_expect_eq(pointers(), 64);
}

Test(atomicity, counting_ends)
{
	uint64_t n, budget = 2;

	make_xarray();
	put_u64(g, head, node + 2);
	put_u64(g, node + 8, node + 2);
	cr_expect_eq(xa_count(&g->k, head, &budget, &n), ITER_TORN);
	cr_expect_eq(budget, 0);
	cr_expect_eq(xa_count(&g->k, head, &budget, &n), ITER_LIMIT);
}
