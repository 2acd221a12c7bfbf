// SPDX-License-Identifier: LGPL-2.1-or-later
// Tasks outside the task list: forks in flight, the dead in their slabs, and those that are hidden.
#include "src/check/check.h"
#include "src/walk/process.h"
#include "src/walk/tasks.h"
#include "tests/unit/kernel_builder.h"
#include "tests/unit/row_log.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum {
	EXIT_DEAD = 0x10,
	TASK_DEAD = 0x80,
	TASK_NEW = 0x800,
	OBJECT = 4096, // bytes of a task_struct here, four to a slab
	OBJECTS = 4,
	ORDER = 2,
	PARENT_PID = 7,
};
#define POISON 0xdead000000000122ULL

static const struct extractor lifecycles = {.name = "lifecycles",
					    .tables = {TABLE_inconsistencies},
					    .n_tables = 1,
					    .run = check_lifecycle};
static const struct extractor *const some[] = {&walk_tasks, &walk_threads, &lifecycles, NULL};

static struct guest *g;
static struct row_log log_;
static struct walk w;
static uint64_t slab, cache, mm, signal_, pid_ns, pid_slots;

static uint64_t structure(const char *type)
{
	return guest_alloc(g, guest_struct(g, type));
}

static uint64_t link_of(uint64_t task)
{
	return guest_field(g, task, F(task_struct, tasks));
}

static uint64_t object(unsigned i)
{
	return slab + i * OBJECT;
}

static void name(uint64_t task, const char *comm)
{
	char bytes[16] = {0};

	memcpy(bytes, comm, strlen(comm));
	guest_put(g, guest_field(g, task, F(task_struct, comm)), bytes, sizeof(bytes));
}

// A task with a pid of its own, in no list.
static void make_task(uint64_t t, uint64_t number)
{
	uint64_t pid = guest_alloc(g, 256);

	name(t, "it");
	guest_set(g, t, F(task_struct, pid), number);
	guest_set(g, t, F(task_struct, tgid), number);
	guest_set(g, t, F(task_struct, usage), 1);
	guest_set(g, t, F(task_struct, static_prio), 120);
	guest_set(g, t, F(task_struct, state), 1);
	guest_set(g, t, F(task_struct, signal), signal_);
	guest_set(g, t, F(task_struct, real_cred), mm);
	guest_set(g, t, F(task_struct, group_leader), t);
	guest_set(g, t, F(task_struct, real_parent), g->k.init_task);
	guest_set(g, t, F(task_struct, mm), mm);
	guest_set(g, t, F(task_struct, files), mm);
	guest_set(g, t, F(task_struct, fs), mm);
	guest_set(g, t, F(task_struct, nvcsw), 1);
	guest_set(g, t, F(task_struct, thread_pid), pid);
	put_u64(g, guest_field(g, pid, F(pid, tasks)),
		guest_field(g, t, F(task_struct, pid_links)));
	put_u64(g, pid_slots + number * 8, pid);
	put_links(g, link_of(t), POISON, POISON);
}

static void make_slab(void)
{
	uint64_t variable = guest_alloc(g, 8), page;

	do
		page = guest_page(g);
	while (guest_va(g, page) % (OBJECT << ORDER));
	slab = guest_va(g, page);
	for (int i = 1; i < OBJECTS; i++)
		guest_page(g);
	cache = structure("kmem_cache");
	guest_unplace(g, F(kmem_cache, node));
	guest_set(g, cache, F(kmem_cache, size), OBJECT);
	guest_set(g, cache, F(kmem_cache, oo), ORDER << 16 | OBJECTS);
	put_u64(g, variable, cache);
	g->k.symbol[S(task_struct_cachep)] = variable;
}

// The table of pids: one node.
static void make_pid_table(void)
{
	uint64_t node = guest_alloc(g, 8 + 64 * 8);

	pid_ns = structure("pid_namespace");
	guest_place(g, F(xa_node, shift), 0, 1);
	guest_place_array(g, F(xa_node, slots), 8, 8, 64);
	pid_slots = node + 8;
	put_u64(g, guest_field(g, pid_ns, F(pid_namespace, idr)), node + 2);
	guest_struct(g, "upid");
	guest_struct(g, "pid");
	guest_place(g, F(pid, numbers), 128, 8); // a struct upid, longer than that
}

static void make(void)
{
	g = guest_new(4);
	row_log_init(&log_);
	guest_struct(g, "task_struct");
	guest_place_array(g, F(task_struct, comm), 3072, 1, 16);
	make_pid_table();
	make_slab();
	mm = structure("mm_struct");
	signal_ = structure("signal_struct");
	guest_set(g, mm, F(mm_struct, arg_end), 1);
	guest_set(g, mm, F(mm_struct, start_code), 1);
	put_links(g, guest_field(g, signal_, F(signal_struct, thread_head)),
		  guest_field(g, signal_, F(signal_struct, thread_head)),
		  guest_field(g, signal_, F(signal_struct, thread_head)));
	g->k.init_task = guest_alloc(g, OBJECT);
	uint64_t init_pid = guest_alloc(g, 256);
	guest_set(g, g->k.init_task, F(task_struct, thread_pid), init_pid);
	guest_set(g, guest_field(g, init_pid, F(pid, numbers)), F(upid, ns), pid_ns);
	make_task(object(0), PARENT_PID);
	uint64_t ring[] = {link_of(g->k.init_task), link_of(object(0))};
	put_ring(g, ring, 2);
}

static void unmake(void)
{
	walk_fini(&w);
	row_log_fini(&log_);
	guest_free(g);
}

TestSuite(unlisted, .init = make, .fini = unmake);

static void walk(void)
{
	walk_init(&w, &g->k, &log_.sink, log_.wanted);
	walk_all(&w, some);
}

// The second row of threads, after that of the listed task.
static void expect_found(const char *lifecycle, const char *phase, const char *found_by)
{
	cr_assert_eq(log_.n[TABLE_threads], 2, "%zu", log_.n[TABLE_threads]);
	const char *got = row_log_value(&log_, TABLE_threads, 1, "phase");
	cr_expect_str_eq(row_log_value(&log_, TABLE_threads, 1, "lifecycle"), lifecycle);
	cr_expect_str_eq(got ? got : "none", phase);
	cr_expect_str_eq(row_log_value(&log_, TABLE_threads, 1, "found_by"), found_by);
}

static const char *finding(const char *column)
{
	cr_assert_eq(log_.n[TABLE_inconsistencies], 1);
	return row_log_value(&log_, TABLE_inconsistencies, 0, column);
}

Test(unlisted, what_is_listed_is_not_found_again)
{
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
	cr_expect_str_eq(row_log_value(&log_, TABLE_threads, 0, "found_by"), "tasks");
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

Test(unlisted, a_process_that_was_taken_out_of_the_list_is_in_the_pid_table)
{
	g->k.symbol[S(task_struct_cachep)] = 0;
	make_task(object(1), 9);
	walk();
	expect_found("live", "none", "pid");
	cr_expect_str_eq(finding("scope"), "cross-view");
	cr_expect_str_eq(finding("class"), "unlisted");
	cr_expect(strstr(finding("evidence"), "found_by=pid"), "%s", finding("evidence"));
}

Test(unlisted, a_process_that_was_taken_out_of_every_list_is_in_its_slab)
{
	make_task(object(1), 9);
	put_u64(g, pid_slots + 9 * 8, 0);
	walk();
	expect_found("live", "none", "task_scan");
	cr_expect_str_eq(finding("class"), "unlisted");
}

// --- other views of what no list and no pid leads to ---

static uint64_t hide(unsigned i)
{
	make_task(object(i), 9);
	put_u64(g, pid_slots + 9 * 8, 0);
	g->k.symbol[S(task_struct_cachep)] = 0;
	return object(i);
}

static void expect_view(const char *view)
{
	char part[64];

	walk();
	expect_found("live", "none", view);
	cr_expect_str_eq(finding("class"), "unlisted");
	snprintf(part, sizeof(part), "views=%s tasklist_lock=", view);
	cr_expect(strstr(finding("evidence"), part), "%s", finding("evidence"));
}

Test(unlisted, a_hidden_child_is_in_its_parents_list)
{
	uint64_t ring[] = {guest_field(g, object(0), F(task_struct, children)),
			   guest_field(g, hide(1), F(task_struct, sibling))};

	put_ring(g, ring, 2);
	expect_view("children");
}

Test(unlisted, a_hidden_parent_is_known_to_its_children)
{
	guest_set(g, object(0), F(task_struct, real_parent), hide(1));
	expect_view("parent");
}

Test(unlisted, a_hidden_task_is_in_its_control_group)
{
	uint64_t css_set = structure("css_set");
	uint64_t ring[] = {guest_field(g, css_set, F(css_set, mg_tasks)),
			   guest_field(g, hide(1), F(task_struct, cg_list))};

	guest_set(g, object(0), F(task_struct, cgroups), css_set);
	put_ring(g, ring, 2);
	expect_view("css_set");
}

// The queues of one CPU.
static uint64_t make_run_queue(void)
{
	g->k.uniprocessor = true;
	g->k.n_cpus = 1;
	guest_struct(g, "rb_node");
	guest_struct(g, "cfs_rq");
	guest_struct(g, "sched_entity");
	guest_struct(g, "sched_dl_entity");
	guest_unplace(g, F(sched_rt_entity, my_q));
	guest_place(g, F(task_struct, se), 2048, 8);
	guest_place(g, F(task_struct, dl_node), 2048 + 512, 8);
	guest_place(g, F(sched_dl_entity, rb_node), 0, 8);
	guest_place(g, F(sched_dl_entity, dl_server), 64, 8);
	guest_struct(g, "rq");
	guest_place_array(g, F(rq, rt_queue), 1024, 16, 4);
	guest_place(g, F(rq, cfs), 2048, 8);
	uint64_t rq = guest_alloc(g, 4096);
	for (uint64_t i = 0; i < 4; i++)
		put_links(g, rq + 1024 + i * 16, rq + 1024 + i * 16, rq + 1024 + i * 16);
	return g->k.symbol[S(runqueues)] = rq;
}

Test(unlisted, a_hidden_task_runs)
{
	guest_set(g, make_run_queue(), F(rq, curr), hide(1));
	expect_view("run_queue");
}

Test(unlisted, a_hidden_task_waits_for_a_cpu)
{
	uint64_t cfs = guest_field(g, make_run_queue(), F(rq, cfs));
	uint64_t entity = guest_field(g, hide(1), F(task_struct, se));

	guest_set(g, cfs, F(cfs_rq, timeline), guest_field(g, entity, F(sched_entity, run_node)));
	expect_view("run_queue");
}

// The group runs: it is no entity of the tree, but the current one of the queue above.
Test(unlisted, a_hidden_task_waits_in_a_group)
{
	uint64_t cfs = guest_field(g, make_run_queue(), F(rq, cfs));
	uint64_t group = guest_alloc(g, 512), queue = guest_alloc(g, 512);
	uint64_t entity = guest_field(g, hide(1), F(task_struct, se));

	guest_set(g, cfs, F(cfs_rq, curr), group);
	guest_set(g, group, F(sched_entity, my_q), queue);
	guest_set(g, queue, F(cfs_rq, timeline), guest_field(g, entity, F(sched_entity, run_node)));
	expect_view("run_queue");
}

Test(unlisted, a_group_that_is_its_own_ends)
{
	uint64_t cfs = guest_field(g, make_run_queue(), F(rq, cfs)), group = guest_alloc(g, 512);

	guest_set(g, cfs, F(cfs_rq, curr), group);
	guest_set(g, group, F(sched_entity, my_q), cfs);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}

Test(unlisted, a_hidden_task_has_real_time)
{
	uint64_t ring[] = {make_run_queue() + 1024 + 2 * 16,
			   guest_field(g, hide(1), F(task_struct, rt_run_list))};

	put_ring(g, ring, 2);
	expect_view("run_queue");
}

Test(unlisted, a_hidden_task_has_a_deadline)
{
	uint64_t rq = make_run_queue(), node = guest_field(g, hide(1), F(task_struct, dl_node));

	guest_set(g, rq, F(rq, dl_root), node);
	expect_view("run_queue");
}

Test(unlisted, a_server_of_the_fair_class_is_no_task)
{
	uint64_t rq = make_run_queue(), node = guest_field(g, hide(1), F(task_struct, dl_node));

	guest_set(g, rq, F(rq, dl_root), node);
	guest_set(g, node, F(sched_dl_entity, dl_server), 1);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}

Test(unlisted, a_number_that_another_task_has_hides_nothing)
{
	guest_set(g, make_run_queue(), F(rq, curr), hide(1));
	guest_set(g, object(1), F(task_struct, pid), PARENT_PID);
	guest_set(g, object(1), F(task_struct, tgid), PARENT_PID);
	expect_view("run_queue");
}

Test(unlisted, all_views_are_told)
{
	make_task(object(1), 9);
	guest_set(g, object(0), F(task_struct, real_parent), object(1));
	walk();
	expect_found("live", "none", "pid");
	cr_expect(strstr(finding("evidence"), "views=pid,parent,task_scan"), "%s",
		  finding("evidence"));
}

// --- forks ---

// copy_process() starts with a copy of the parent.
Test(unlisted, a_copy_of_a_parent_is_a_fork_and_not_hidden)
{
	uint8_t copy[OBJECT];

	cr_assert(k_read(&g->k, object(0), copy, sizeof(copy)));
	guest_put(g, object(1), copy, sizeof(copy));
	walk();
	expect_found("fresh", "N0", "task_scan");
	cr_expect_str_eq(finding("scope"), "intrinsic");
	cr_expect_null(row_log_value(&log_, TABLE_threads, 1, "tid")); // its parent's
}

Test(unlisted, a_fork_with_a_number_is_not_hidden)
{
	make_task(object(1), 9);
	guest_set(g, object(1), F(task_struct, thread_pid),
		  k_or0(&g->k, object(0), F(task_struct, thread_pid)));
	guest_set(g, object(1), F(task_struct, state), TASK_NEW);
	put_u64(g, pid_slots + 9 * 8, 0);
	walk();
	expect_found("fresh", "N0", "task_scan");
	cr_expect_str_eq(row_log_value(&log_, TABLE_threads, 1, "tid"), "9");
}

// alloc_pid(): no task has it yet.
static uint64_t make_empty_pid(uint64_t number)
{
	uint64_t pid = guest_alloc(g, 256), upid = guest_field(g, pid, F(pid, numbers));

	guest_set(g, pid, F(pid, count), 1);
	guest_set(g, upid, F(upid, nr), number);
	guest_set(g, upid, F(upid, ns), pid_ns);
	put_u64(g, pid_slots + number * 8, pid);
	return pid;
}

Test(unlisted, a_fork_whose_number_is_in_the_table)
{
	make_task(object(1), 9);
	guest_set(g, object(1), F(task_struct, thread_pid),
		  k_or0(&g->k, object(0), F(task_struct, thread_pid)));
	guest_set(g, object(1), F(task_struct, state), TASK_NEW);
	(void)make_empty_pid(9);
	walk();
	expect_found("fresh", "N1", "task_scan");
	cr_expect_str_eq(finding("phase"), "N1");
}

Test(unlisted, a_number_that_nobody_has_is_a_fork)
{
	(void)make_empty_pid(9);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
	cr_expect_str_eq(finding("class"), "fresh");
	cr_expect_str_eq(finding("phase"), "N1");
	cr_expect_str_eq(finding("tid"), "9");
	cr_expect_null(finding("task_addr"));
	cr_expect(strstr(finding("missing"), "fork or release"), "%s", finding("missing"));
}

// What was freed, and what is put there to mislead.
Test(unlisted, what_is_not_the_pid_of_its_number_is_no_fork)
{
	guest_set(g, make_empty_pid(9), F(pid, count), 0);
	guest_set(g, guest_field(g, make_empty_pid(10), F(pid, numbers)), F(upid, nr), 11);
	guest_set(g, guest_field(g, make_empty_pid(12), F(pid, numbers)), F(upid, ns), pid_slots);
	walk();
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

// __unhash_process(): the pid is empty before the task leaves the list.
Test(unlisted, the_number_of_a_listed_task_is_no_fork)
{
	(void)make_empty_pid(PARENT_PID);
	walk();
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

Test(unlisted, a_number_that_a_process_group_has_is_no_fork)
{
	uint64_t pid = guest_alloc(g, 256);

	guest_place_array(g, F(pid, tasks), g->k.field[F(pid, tasks)].off, 8, 4);
	put_u64(g, pid_slots + 9 * 8, pid);
	put_u64(g, guest_field(g, pid, F(pid, tasks)) + 2 * 8ULL, pid); // PIDTYPE_PGID
	walk();
	cr_expect_eq(log_.n[TABLE_inconsistencies], 0);
}

static void bury(uint64_t t, uint64_t usage)
{
	make_task(t, 9);
	put_u64(g, pid_slots + 9 * 8, 0);
	guest_set(g, t, F(task_struct, thread_pid), 0);
	guest_set(g, t, F(task_struct, exit_state), EXIT_DEAD);
	guest_set(g, t, F(task_struct, usage), usage);
}

Test(unlisted, the_dead_are_kept_until_their_last_user_lets_go)
{
	bury(object(2), 1);
	walk();
	expect_found("zombie", "X2", "task_scan");
	cr_expect(strstr(finding("evidence"), "usage=1"));
	cr_expect(strstr(finding("missing"), "memory"));
}

Test(unlisted, a_number_whose_task_is_released_is_no_fork)
{
	bury(object(2), 1);
	(void)make_empty_pid(9);
	walk();
	expect_found("zombie", "X2", "task_scan");
	cr_expect_str_eq(finding("phase"), "X2");
}

Test(unlisted, a_number_that_what_was_freed_had_may_be_a_fork)
{
	bury(object(2), 0);
	(void)make_empty_pid(9);
	walk();
	expect_found("zombie", "X3", "task_scan");
	cr_expect_eq(log_.n[TABLE_inconsistencies], 2);
}

Test(unlisted, what_was_freed_is_still_there)
{
	bury(object(2), 0);
	walk();
	expect_found("zombie", "X3", "task_scan");
}

Test(unlisted, a_fork_that_failed_is_nothing)
{
	make_task(object(1), 9);
	put_u64(g, pid_slots + 9 * 8, 0);
	guest_set(g, object(1), F(task_struct, usage), 0);
	make_task(object(2), 10);
	put_u64(g, pid_slots + 10 * 8, 0);
	guest_set(g, object(2), F(task_struct, thread_pid), 0);
	guest_set(g, object(2), F(task_struct, state), TASK_DEAD);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}

Test(unlisted, idle_tasks_are_in_no_list)
{
	make_task(object(1), 9);
	put_u64(g, pid_slots + 9 * 8, 0);
	guest_set(g, object(1), F(task_struct, pid), 0);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}

Test(unlisted, what_does_not_look_like_a_task_is_none)
{
	bury(object(1), 1);
	name(object(1), "sixteen letters.");
	bury(object(2), 1);
	guest_set(g, object(2), F(task_struct, static_prio), 3);
	bury(object(3), 1);
	guest_set(g, object(3), F(task_struct, real_cred), 5);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}

Test(unlisted, a_cache_that_lies_costs_nothing)
{
	bury(object(1), 1);
	guest_set(g, cache, F(kmem_cache, oo), 30ULL << 16 | OBJECTS);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
	guest_set(g, cache, F(kmem_cache, oo), ORDER << 16 | 0xffff);
	walk_fini(&w);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 2); // the listed one again
}

Test(unlisted, a_pid_table_in_a_circle_ends)
{
	put_u64(g, pid_slots + 3 * 8, pid_slots - 8 + 2);
	walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
}
