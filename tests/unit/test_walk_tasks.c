// SPDX-License-Identifier: LGPL-2.1-or-later
// The list of tasks and the lists of threads: groups, donors, and lists that lie.
#include "src/check/check.h"
#include "src/walk/cputime.h"
#include "src/walk/process.h"
#include "src/walk/tasks.h"
#include "tests/unit/kernel_builder.h"
#include "tests/unit/row_log.h"

#include <criterion/criterion.h>

enum { EXIT_ZOMBIE = 0x20, TASK_DEAD = 0x80 };
#define NOWHERE 0xffffc90000000000ULL

static const struct extractor lifecycles = {.name = "lifecycles",
					    .tables = {TABLE_inconsistencies},
					    .n_tables = 1,
					    .run = check_lifecycle};
static const struct extractor *const some[] = {&walk_tasks, &walk_threads, &lifecycles, NULL};

static struct guest *g;
static struct row_log log_;
static struct walk w;
static uint64_t next_pid;

static uint64_t structure(const char *type)
{
	return guest_alloc(g, guest_struct(g, type));
}

static uint64_t tasks_link(uint64_t task)
{
	return guest_field(g, task, F(task_struct, tasks));
}

static uint64_t thread_link(uint64_t task)
{
	return guest_field(g, task, F(task_struct, thread_node));
}

// Puts a node before the head: at the end of its ring.
static void append(uint64_t head, uint64_t node)
{
	uint64_t last;

	cr_assert(k_u64(&g->k, head + 8, &last));
	put_links(g, node, head, last);
	put_u64(g, last, node);
	put_u64(g, head + 8, node);
}

static uint64_t new_task(uint64_t tgid, uint64_t signal)
{
	uint64_t t = structure("task_struct"), mm = structure("mm_struct");

	guest_place_array(g, F(task_struct, comm), 0, 1, 16);
	guest_set(g, t, F(task_struct, pid), next_pid++);
	guest_set(g, t, F(task_struct, tgid), tgid);
	guest_set(g, t, F(task_struct, signal), signal);
	guest_set(g, t, F(task_struct, mm), mm);
	guest_set(g, t, F(task_struct, files), mm + 0x100);
	guest_set(g, t, F(task_struct, fs), mm + 0x200);
	guest_set(g, t, F(task_struct, state), 1);
	guest_set(g, mm, F(mm_struct, arg_start), 0x1000);
	guest_set(g, mm, F(mm_struct, arg_end), 0x2000);
	guest_set(g, mm, F(mm_struct, start_code), 0x400000);
	append(guest_field(g, signal, F(signal_struct, thread_head)), thread_link(t));
	return t;
}

static uint64_t new_process(void)
{
	uint64_t signal = structure("signal_struct");
	uint64_t head = guest_field(g, signal, F(signal_struct, thread_head));

	put_links(g, head, head, head);
	uint64_t t = new_task(next_pid, signal);
	append(tasks_link(g->k.init_task), tasks_link(t));
	return t;
}

static uint64_t new_thread(uint64_t leader)
{
	uint64_t signal = k_or0(&g->k, leader, F(task_struct, signal));

	return new_task(k_or0(&g->k, leader, F(task_struct, tgid)), signal);
}

static void make(void)
{
	g = guest_new(4);
	g->k.init_task = structure("task_struct");
	put_links(g, tasks_link(g->k.init_task), tasks_link(g->k.init_task),
		  tasks_link(g->k.init_task));
	next_pid = 1;
	row_log_init(&log_);
}

static void unmake(void)
{
	walk_fini(&w);
	row_log_fini(&log_);
	guest_free(g);
}

TestSuite(tasks, .init = make, .fini = unmake);

static const struct task *walk(void)
{
	walk_init(&w, &g->k, &log_.sink, log_.wanted);
	walk_all(&w, some);
	return w.tasks->all.at;
}

static void expect_problem(enum table_id table, const char *part)
{
	cr_expect(row_log_problem(&log_, table, part), "%s", row_log_problems(&log_));
	cr_expect(w.damaged);
}

static void expect_no_problem(void)
{
	cr_expect_str_eq(row_log_problems(&log_), "");
	cr_expect_not(w.damaged);
}

Test(tasks, each_leader_is_followed_by_its_threads)
{
	uint64_t a = new_process(), b = new_process(), b2 = new_thread(b), b3 = new_thread(b);
	const struct task *t = walk();

	cr_assert_eq(w.tasks->all.n, 4);
	cr_expect(t[0].addr == a && t[0].n_threads == 1 && task_is_leader(&t[0]));
	cr_expect(t[1].addr == b && t[1].n_threads == 3 && t[1].pid == 2 && t[1].tid == 2);
	cr_expect(t[2].addr == b2 && t[2].leader == b && t[2].pid == 2 && t[2].tid == 3);
	cr_expect(t[3].addr == b3 && !task_is_leader(&t[3]));
	cr_expect_eq(task_at(w.tasks, b3), &t[3]);
	cr_expect_null(task_at(w.tasks, b3 + 8));
	size_t i = 0;
	cr_expect_eq(task_next_leader(w.tasks, &i), &t[0]);
	cr_expect_eq(task_next_leader(w.tasks, &i), &t[1]);
	cr_expect_null(task_next_leader(w.tasks, &i));
	expect_no_problem();
}

Test(tasks, a_kernel_with_no_task_but_the_first_has_none)
{
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 0);
	expect_no_problem();
}

static void die(uint64_t task)
{
	guest_set(g, task, F(task_struct, flags), PF_EXITING);
	guest_set(g, task, F(task_struct, exit_state), EXIT_ZOMBIE);
	guest_set(g, task, F(task_struct, state), TASK_DEAD);
	guest_set(g, task, F(task_struct, mm), 0);
	guest_set(g, task, F(task_struct, files), 0);
	guest_set(g, task, F(task_struct, fs), 0);
}

Test(tasks, a_dead_leader_borrows_from_a_thread_that_lives)
{
	uint64_t leader = new_process(), dead = new_thread(leader), living = new_thread(leader);

	die(leader);
	die(dead);
	const struct task *t = walk();
	cr_expect_eq(t[0].donor, living);
	cr_expect_eq(t[0].mm, k_or0(&g->k, living, F(task_struct, mm)));
	cr_expect_eq(t[0].files, k_or0(&g->k, living, F(task_struct, files)));
	cr_expect_neq(t[0].fs, 0);
	cr_expect_str_eq(t[0].life.phase, "leader");
	cr_expect_str_eq(t[1].life.phase, "Z2");
	cr_expect_eq(t[2].life.class, LIFE_LIVE);
	cr_expect_eq(t[2].donor, living);
}

Test(tasks, a_zombie_without_threads_has_no_donor)
{
	uint64_t leader = new_process();

	die(leader);
	const struct task *t = walk();
	cr_expect_eq(t[0].donor, leader);
	cr_expect_eq(t[0].mm, 0);
	cr_expect_str_eq(t[0].life.phase, "Z2");
}

Test(tasks, a_living_leader_gives_nothing_away)
{
	uint64_t leader = new_process(), thread = new_thread(leader);

	die(thread);
	const struct task *t = walk();
	cr_expect_eq(t[0].donor, leader);
	cr_expect_eq(t[0].life.class, LIFE_LIVE);
	cr_expect_eq(t[1].mm, 0);
}

Test(tasks, each_task_that_is_not_live_is_an_inconsistency_with_its_evidence)
{
	uint64_t leader = new_process(), thread = new_thread(leader);

	die(thread);
	guest_set(g, leader, F(task_struct, files), 0);
	(void)walk();
	cr_assert_eq(log_.n[TABLE_inconsistencies], 2);
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "scope"), "extrinsic");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 0, "class"), "task-died");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 1, "scope"), "intrinsic");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 1, "class"), "zombie");
	cr_expect_str_eq(row_log_value(&log_, TABLE_inconsistencies, 1, "phase"), "Z2");
	cr_expect_not_null(row_log_value(&log_, TABLE_inconsistencies, 1, "evidence"));
}

// --- lists that lie ---

Test(tasks, a_list_in_a_circle_gives_each_task_once)
{
	uint64_t a = new_process(), b = new_process(), c = new_process();

	put_u64(g, tasks_link(c), tasks_link(b));
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 3);
	cr_expect_eq(w.tasks->all.at[0].addr, a);
	expect_problem(TABLE_processes, "circle");
}

Test(tasks, a_list_that_leads_to_nothing_keeps_what_came_before)
{
	uint64_t a = new_process();

	(void)new_process();
	put_u64(g, tasks_link(a), NOWHERE);
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 1);
	expect_problem(TABLE_processes, "memory that is not there");
}

Test(tasks, a_task_that_was_taken_out_one_way_only_is_told)
{
	uint64_t a = new_process(), hidden = new_process(), c = new_process();

	put_u64(g, tasks_link(a), tasks_link(c)); // but c still names the hidden one
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 2);
	cr_expect_null(task_at(w.tasks, hidden));
	expect_problem(TABLE_processes, "link back");
}

Test(tasks, a_link_into_the_middle_of_something_is_no_task)
{
	uint64_t a = new_process(), b = new_process(), middle = tasks_link(b) + 0x20;

	put_u64(g, tasks_link(a), middle);
	put_links(g, middle, tasks_link(g->k.init_task), tasks_link(a));
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 1);
	expect_problem(TABLE_processes, "no task");
}

Test(tasks, threads_in_a_circle_come_once)
{
	uint64_t a = new_process(), t1 = new_thread(a), t2 = new_thread(a), b = new_process();

	put_u64(g, thread_link(t2), thread_link(t1));
	const struct task *t = walk();
	cr_assert_eq(w.tasks->all.n, 4);
	cr_expect_eq(t[0].n_threads, 3);
	cr_expect_eq(t[3].addr, b);
	expect_problem(TABLE_threads, "circle");
}

Test(tasks, threads_of_another_process_are_not_taken)
{
	uint64_t a = new_process(), b = new_process(), b2 = new_thread(b);

	put_u64(g, thread_link(a), thread_link(b2));
	const struct task *t = walk();
	cr_assert_eq(w.tasks->all.n, 3);
	cr_expect_eq(t[0].n_threads, 1);
	cr_expect(t[1].addr == b && t[1].n_threads == 2);
	cr_expect(t[2].addr == b2 && t[2].leader == b);
	expect_problem(TABLE_threads, "not one of them");
}

Test(tasks, a_thread_in_the_list_of_tasks_is_told)
{
	uint64_t a = new_process(), t1 = new_thread(a), b = new_process();

	append(tasks_link(g->k.init_task), tasks_link(t1));
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 3);
	cr_expect_not_null(task_at(w.tasks, b));
	expect_problem(TABLE_processes, "thread of another process");
}

Test(tasks, two_processes_with_one_signal_struct_do_not_multiply)
{
	uint64_t a = new_process(), t1 = new_thread(a), b = new_process();

	guest_set(g, b, F(task_struct, signal), k_or0(&g->k, a, F(task_struct, signal)));
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 3);
	cr_expect_eq(task_at(w.tasks, t1)->leader, a);
	expect_problem(TABLE_threads, "not one of them");
}

Test(tasks, threads_that_can_not_be_reached_leave_their_leader)
{
	uint64_t a = new_process();

	guest_set(g, a, F(task_struct, signal), NOWHERE);
	(void)walk();
	cr_expect_eq(w.tasks->all.n, 1);
	expect_problem(TABLE_threads, "memory that is not there");
}

Test(tasks, a_name_without_an_end_is_its_sixteen_bytes)
{
	uint64_t a = new_process();

	guest_place_array(g, F(task_struct, comm), 0x4000, 1, 16);
	(void)guest_alloc(g, 0x5000);
	guest_put(g, a + 0x4000, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26);
	cr_expect_str_eq(walk()[0].comm, "ABCDEFGHIJKLMNOP");
}

Test(tasks, a_number_that_is_not_in_the_image_is_not_zero)
{
	uint64_t a = new_process(), gone = guest_page(g);

	guest_drop(g, gone);
	guest_place(g, F(task_struct, tgid), (uint32_t)(guest_va(g, gone) - a), 4);
	(void)walk();
	cr_expect_eq(log_.n[TABLE_threads], 1);
	cr_expect_null(row_log_value(&log_, TABLE_threads, 0, "pid"));
	cr_expect_str_eq(row_log_value(&log_, TABLE_threads, 0, "tid"), "1");
}

// --- CPU times ---

struct times {
	uint64_t user, system, runtime, prev_user, prev_system;
};

static struct cputime cpu(struct times t)
{
	struct task task = {.addr = structure("task_struct")};

	w.k = &g->k;
	guest_set(g, task.addr, F(task_struct, utime), t.user);
	guest_set(g, task.addr, F(task_struct, stime), t.system);
	guest_set(g, task.addr, F(task_struct, sum_exec_runtime), t.runtime);
	guest_set(g, task.addr, F(task_struct, prev_utime), t.prev_user);
	guest_set(g, task.addr, F(task_struct, prev_stime), t.prev_system);
	return cputime_of_task(&w, &task);
}

static void expect_cpu(struct times t, uint64_t user, uint64_t system)
{
	struct cputime got = cpu(t);

	cr_expect(got.user_ns == user && got.system_ns == system, "%llu %llu",
		  (unsigned long long)got.user_ns, (unsigned long long)got.system_ns);
}

Test(tasks, ticks_divide_the_time_that_the_scheduler_measured)
{
	expect_cpu((struct times){30, 10, 400, 0, 0}, 300, 100);
	expect_cpu((struct times){0, 10, 400, 0, 0}, 0, 400);
	expect_cpu((struct times){30, 0, 400, 0, 0}, 400, 0);
	expect_cpu((struct times){0, 0, 400, 0, 0}, 400, 0);
}

Test(tasks, times_never_go_back)
{
	expect_cpu((struct times){30, 10, 400, 250, 150}, 250, 150);
	expect_cpu((struct times){30, 10, 400, 0, 150}, 250, 150);
	expect_cpu((struct times){10, 30, 400, 250, 0}, 250, 150);
}

Test(tasks, times_that_can_not_be_are_no_division_by_zero)
{
	uint64_t half = 1ULL << 63;

	expect_cpu((struct times){half, half, 400, 0, 0}, 200, 200);
	(void)cpu((struct times){1, UINT64_MAX, UINT64_MAX, 0, 0});
	(void)cpu((struct times){UINT64_MAX, UINT64_MAX, UINT64_MAX, 1, 1});
	(void)cpu((struct times){5, 5, 400, UINT64_MAX, 2});
}

Test(tasks, a_group_has_the_times_of_its_threads_and_of_those_that_exited)
{
	uint64_t a = new_process(), t1 = new_thread(a);
	uint64_t signal = k_or0(&g->k, a, F(task_struct, signal));

	guest_set(g, a, F(task_struct, sum_exec_runtime), 100);
	guest_set(g, a, F(task_struct, utime), 1);
	guest_set(g, t1, F(task_struct, sum_exec_runtime), 200);
	guest_set(g, t1, F(task_struct, utime), 1);
	guest_set(g, signal, F(signal_struct, runtime), 300);
	guest_set(g, signal, F(signal_struct, stime), 2);
	struct cputime got = cputime_of_group(&w, walk());
	cr_expect_eq(got.user_ns, 300);
	cr_expect_eq(got.system_ns, 300);
}
