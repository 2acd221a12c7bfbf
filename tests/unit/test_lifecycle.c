// SPDX-License-Identifier: LGPL-2.1-or-later
// Where in its life a task is: every instant of fork, exec and exit as memory shows it, in the
// order of copy_process(), load_elf_binary() and do_exit().
#include "src/walk/lifecycle.h"
#include "src/walk/tasks.h"
#include "tests/unit/kernel_builder.h"

#include <criterion/criterion.h>

#include <string.h>

// include/linux/sched.h, include/linux/sched/signal.h
enum {
	PF_POSTCOREDUMP = 0x8,
	PF_IO_WORKER = 0x10,
	PF_FORKNOEXEC = 0x40,
	PF_DUMPCORE = 0x200,
	PF_USER_WORKER = 0x4000,
	EXIT_DEAD = 0x10,
	EXIT_ZOMBIE = 0x20,
	EXIT_TRACE = 0x30,
	TASK_INTERRUPTIBLE = 0x1,
	TASK_DEAD = 0x80,
	TASK_NEW = 0x800,
	SIGNAL_GROUP_EXIT = 0x4,
	SIGKILL_PENDING = 1 << 8,
};

#define SOMETHING 0xffff888000123400ULL // a pointer that nothing here follows

static struct guest *g;
static struct walk w;
static uint64_t task, mm, signal_;

// A process in the middle of its life, asleep.
static void make(void)
{
	g = guest_new(4);
	task = guest_alloc(g, guest_struct(g, "task_struct"));
	mm = guest_alloc(g, guest_struct(g, "mm_struct"));
	signal_ = guest_alloc(g, guest_struct(g, "signal_struct"));
	w = (struct walk){.k = &g->k};
	guest_set(g, task, F(task_struct, mm), mm);
	guest_set(g, task, F(task_struct, files), SOMETHING);
	guest_set(g, task, F(task_struct, fs), SOMETHING);
	guest_set(g, task, F(task_struct, signal), signal_);
	guest_set(g, task, F(task_struct, nsproxy), SOMETHING);
	guest_set(g, task, F(task_struct, stack), SOMETHING);
	guest_set(g, task, F(task_struct, cg_list), SOMETHING);
	guest_set(g, task, F(task_struct, state), TASK_INTERRUPTIBLE);
	guest_set(g, task, F(task_struct, nvcsw), 7);
	guest_set(g, task, F(task_struct, sum_exec_runtime), 12345);
	guest_set(g, mm, F(mm_struct, arg_start), 0x7ffc00001000);
	guest_set(g, mm, F(mm_struct, arg_end), 0x7ffc00001010);
	guest_set(g, mm, F(mm_struct, start_code), 0x400000);
	guest_set(g, mm, F(mm_struct, map_count), 12);
}

static void unmake(void)
{
	arena_fini(&w.run);
	guest_free(g);
}

TestSuite(lifecycle, .init = make, .fini = unmake);

static void set(enum field f, uint64_t v)
{
	guest_set(g, task, f, v);
}

#define SET(name, v) set(F(task_struct, name), v)

static struct lifecycle life(void)
{
	return lifecycle_of(&w, task, true, 1);
}

static void expect_life(struct lifecycle l, enum lifecycle_class class, const char *phase,
			const char *evidence)
{
	cr_expect_eq(l.class, class, "%s %s", lifecycle_text(l.class), l.evidence);
	if (phase)
		cr_expect_str_eq(l.phase ? l.phase : "none", phase);
	else
		cr_expect_null(l.phase);
	if (evidence)
		cr_expect(l.evidence && strstr(l.evidence, evidence), "%s", l.evidence);
	else
		cr_expect_null(l.evidence);
}

static void expect_missing(struct lifecycle l, const char *what)
{
	if (what)
		cr_expect_str_eq(l.missing ? l.missing : "nothing", what);
	else
		cr_expect_null(l.missing);
}

#define NO_MEMORY "memory, executable, arguments, environment, mappings"

Test(lifecycle, a_task_that_only_lives_needs_no_evidence)
{
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	expect_missing(life(), NULL);
	cr_expect_not(life().impossible);
}

Test(lifecycle, every_class_has_its_name)
{
	cr_expect_str_eq(lifecycle_text(LIFE_LIVE), "live");
	cr_expect_str_eq(lifecycle_text(LIFE_FRESH), "fresh");
	cr_expect_str_eq(lifecycle_text(LIFE_DYING), "dying");
	cr_expect_str_eq(lifecycle_text(LIFE_AS_GOOD_AS_DEAD), "as-good-as-dead");
	cr_expect_str_eq(lifecycle_text(LIFE_ZOMBIE), "zombie");
	cr_expect_null(lifecycle_text(LIFE_UNKNOWN));
}

// --- doomed, but not yet in exit_signals() ---

Test(lifecycle, D0_a_group_that_must_exit_is_alive_until_it_does)
{
	guest_set(g, signal_, F(signal_struct, flags), SIGNAL_GROUP_EXIT);
	expect_life(life(), LIFE_LIVE, "D0", "signal.flags=0x4");
}

Test(lifecycle, D0_a_pending_sigkill_dooms)
{
	SET(pending_signal, SIGKILL_PENDING);
	expect_life(life(), LIFE_LIVE, "D0", "pending=0x100");
	SET(pending_signal, SIGKILL_PENDING << 1);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

Test(lifecycle, D0c_a_task_that_waits_for_a_core_dump_is_doomed)
{
	SET(flags, PF_POSTCOREDUMP);
	guest_set(g, signal_, F(signal_struct, flags), SIGNAL_GROUP_EXIT);
	guest_set(g, signal_, F(signal_struct, core_state), SOMETHING);
	expect_life(life(), LIFE_LIVE, "D0c", "flags=0x8");
	guest_set(g, signal_, F(signal_struct, core_state), 0);
	expect_life(life(), LIFE_LIVE, "D0", "flags=0x8");
}

Test(lifecycle, D0_a_task_that_writes_a_core_dump_is_doomed)
{
	SET(flags, PF_DUMPCORE);
	expect_life(life(), LIFE_LIVE, "D0", "flags=0x200");
}

// --- do_exit() ---

Test(lifecycle, D1_exiting_with_all_it_had)
{
	SET(flags, PF_EXITING);
	expect_life(life(), LIFE_DYING, "D1", "flags=0x4");
	expect_missing(life(), NULL);
}

Test(lifecycle, D2_memory_goes_first)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	expect_life(life(), LIFE_DYING, "D2", "mm=0x0");
	expect_missing(life(), NO_MEMORY);
}

Test(lifecycle, D3_then_files)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	SET(files, 0);
	expect_life(life(), LIFE_AS_GOOD_AS_DEAD, "D3", "files=0x0");
	expect_missing(life(), NO_MEMORY ", files");
}

Test(lifecycle, D4_then_directories)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	SET(files, 0);
	SET(fs, 0);
	expect_life(life(), LIFE_AS_GOOD_AS_DEAD, "D4", "fs=0x0");
	expect_missing(life(), NO_MEMORY ", files, directories");
	SET(nsproxy, 0);
	expect_missing(life(), NO_MEMORY ", files, directories, namespaces");
}

Test(lifecycle, an_exiting_task_is_dying_even_if_it_never_ran)
{
	SET(flags, PF_EXITING | PF_FORKNOEXEC);
	SET(state, 0);
	SET(on_rq, 1);
	SET(nvcsw, 0);
	SET(sum_exec_runtime, 0);
	expect_life(life(), LIFE_DYING, "D1", "flags=0x44");
}

Test(lifecycle, Z1_a_zombie_that_still_runs_the_end_of_do_exit)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	SET(exit_state, EXIT_ZOMBIE);
	SET(on_cpu, 1);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "Z1", "exit_state=0x20");
	SET(state, TASK_DEAD);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "Z1", "on_cpu=1");
	SET(on_cpu, 0);
	SET(state, 0);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "Z1", "state=0x0");
}

Test(lifecycle, Z2_a_zombie_at_rest)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	SET(exit_state, EXIT_ZOMBIE);
	SET(state, TASK_DEAD);
	SET(files, 0);
	SET(fs, 0);
	SET(nsproxy, 0);
	SET(stack, 0);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "Z2", "state=0x80");
	expect_missing(lifecycle_of(&w, task, true, 0),
		       NO_MEMORY ", files, directories, namespaces, kernel stack");
}

Test(lifecycle, X1_a_task_being_reaped_is_a_zombie)
{
	SET(state, TASK_DEAD);
	SET(exit_state, EXIT_DEAD);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "X1", "exit_state=0x10");
	SET(exit_state, EXIT_TRACE);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "X1", "exit_state=0x30");
}

Test(lifecycle, a_leader_that_died_before_its_threads_is_told_apart)
{
	SET(state, TASK_DEAD);
	SET(exit_state, EXIT_ZOMBIE);
	expect_life(lifecycle_of(&w, task, true, 2), LIFE_ZOMBIE, "leader", "live_threads=2");
	SET(mm, 0);
	SET(stack, 0);
	expect_missing(lifecycle_of(&w, task, true, 2),
		       "kernel stack, nothing of the process: it is read from a live thread");
	expect_life(lifecycle_of(&w, task, false, 2), LIFE_ZOMBIE, "Z2", "live_threads=2");
}

Test(lifecycle, a_leader_that_dies_before_its_threads_takes_nothing_from_the_process)
{
	SET(flags, PF_EXITING);
	SET(mm, 0);
	expect_life(lifecycle_of(&w, task, true, 2), LIFE_DYING, "D2", "mm=0x0");
	expect_missing(lifecycle_of(&w, task, true, 2),
		       "nothing of the process: it is read from a live thread");
	expect_missing(lifecycle_of(&w, task, true, 1), NO_MEMORY);
	expect_missing(lifecycle_of(&w, task, false, 2), NO_MEMORY);
}

Test(lifecycle, death_outweighs_everything)
{
	SET(exit_state, EXIT_ZOMBIE);
	SET(state, TASK_NEW);
	SET(flags, PF_EXITING | PF_FORKNOEXEC);
	SET(in_execve, 1);
	expect_life(lifecycle_of(&w, task, true, 0), LIFE_ZOMBIE, "Z1", "exit_state=0x20");
}

// --- copy_process(), wake_up_new_task() ---

Test(lifecycle, N3_listed_and_never_woken)
{
	SET(state, TASK_NEW);
	SET(nvcsw, 0);
	SET(sum_exec_runtime, 0);
	expect_life(life(), LIFE_FRESH, "N3", "in_css_set=1");
	expect_missing(life(), "CPU and run times: it has not run yet, "
			       "name and program of its own: its parent's are shown");
}

Test(lifecycle, N2_listed_and_in_no_control_group)
{
	SET(state, TASK_NEW);
	SET(cg_list, task + g->k.field[F(task_struct, cg_list)].off);
	expect_life(life(), LIFE_FRESH, "N2", "in_css_set=0");
	expect_missing(life(), "control group, CPU and run times: it has not run yet, "
			       "name and program of its own: its parent's are shown");
}

Test(lifecycle, N4_runnable_and_never_ran)
{
	SET(state, 0);
	SET(on_rq, 1);
	SET(nvcsw, 0);
	SET(sum_exec_runtime, 0);
	expect_life(life(), LIFE_FRESH, "N4", "on_rq=1");
}

Test(lifecycle, a_task_that_ran_at_all_is_not_N4)
{
	SET(state, 0);
	SET(on_rq, 1);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(nvcsw, 0);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(sum_exec_runtime, 0);
	SET(on_cpu, 1);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(on_cpu, 0);
	SET(nivcsw, 1);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

static void born_ns_ago(uint64_t ns)
{
	w.now_boottime = some_int(5000000000);
	SET(start_boottime, 5000000000 - ns);
	SET(flags, PF_FORKNOEXEC);
}

Test(lifecycle, N5_forked_lately_and_no_program_of_its_own)
{
	born_ns_ago(10000000);
	expect_life(life(), LIFE_LIVE, "N5", "flags=0x40");
}

Test(lifecycle, a_server_that_forked_long_ago_is_not_young)
{
	born_ns_ago(3000000000);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

// The clock in memory is that of the last tick.
Test(lifecycle, a_fork_after_the_last_tick_is_young)
{
	born_ns_ago(0);
	SET(start_boottime, 5000000001);
	expect_life(life(), LIFE_LIVE, "N5", "flags=0x40");
}

Test(lifecycle, without_a_clock_or_with_a_start_far_ahead_none_is_young)
{
	born_ns_ago(10000000);
	w.now_boottime.set = false;
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	w.now_boottime.set = true;
	SET(start_boottime, 6000000000);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(start_boottime, 1ULL << 63);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(start_boottime, UINT64_MAX);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

// --- begin_new_exec(), load_elf_binary() ---

Test(lifecycle, E1_exec_has_begun_in_the_old_image)
{
	SET(in_execve, 1);
	guest_set(g, signal_, F(signal_struct, cred_guard_owner), task | 1);
	expect_life(life(), LIFE_LIVE, "E1", "in_execve=1");
	expect_missing(life(), NULL);
}

// setup_new_exec() has given the mutex back, and load_elf_binary() is through.
Test(lifecycle, E5_exec_is_about_to_return_to_the_new_image)
{
	SET(in_execve, 1);
	expect_life(life(), LIFE_LIVE, "E5", "in_execve=1");
	guest_unplace(g, F(signal_struct, cred_guard_owner));
	expect_life(life(), LIFE_LIVE, "E1", "in_execve=1");
}

static void empty_mm(void)
{
	guest_set(g, mm, F(mm_struct, arg_start), 0);
	guest_set(g, mm, F(mm_struct, arg_end), 0);
	guest_set(g, mm, F(mm_struct, start_code), 0);
	guest_set(g, mm, F(mm_struct, map_count), 1);
}

Test(lifecycle, E2_the_new_memory_has_only_a_stack)
{
	empty_mm();
	SET(in_execve, 1);
	expect_life(life(), LIFE_FRESH, "E2", "arg_start=0x0");
	expect_missing(life(), "new name and credentials: those of the old program may be shown, "
			       "arguments, environment");
}

Test(lifecycle, E3_the_stack_is_in_its_place)
{
	empty_mm();
	guest_set(g, mm, F(mm_struct, arg_start), 0x7ffc00001000);
	expect_life(life(), LIFE_FRESH, "E3", "arg_end=0x0");
	expect_missing(life(), "arguments, environment");
}

Test(lifecycle, E4_the_program_is_mapped)
{
	empty_mm();
	guest_set(g, mm, F(mm_struct, arg_start), 0x7ffc00001000);
	guest_set(g, mm, F(mm_struct, map_count), 4);
	expect_life(life(), LIFE_FRESH, "E4", "map_count=4");
	guest_set(g, mm, F(mm_struct, arg_end), 0x7ffc00001010);
	expect_life(life(), LIFE_FRESH, "E4", "start_code=0x0");
	guest_set(g, mm, F(mm_struct, start_code), 0x400000);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

// --- tasks that lack things by design ---

Test(lifecycle, kernel_threads_have_neither_memory_nor_need_of_it)
{
	SET(flags, PF_KTHREAD);
	SET(mm, 0);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(files, 0);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	cr_expect_not(life().impossible);
}

Test(lifecycle, a_kernel_thread_that_borrows_memory_is_not_in_exec)
{
	empty_mm();
	SET(flags, PF_KTHREAD);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

Test(lifecycle, a_kernel_thread_dies_without_memory_to_lose)
{
	SET(flags, PF_KTHREAD | PF_EXITING);
	SET(mm, 0);
	expect_life(life(), LIFE_DYING, "D1", "flags=0x200004");
	SET(files, 0);
	expect_life(life(), LIFE_AS_GOOD_AS_DEAD, "D3", "files=0x0");
	SET(fs, 0);
	expect_life(life(), LIFE_AS_GOOD_AS_DEAD, "D4", "fs=0x0");
}

Test(lifecycle, a_user_mode_helper_has_no_memory_before_its_exec)
{
	SET(flags, PF_FORKNOEXEC);
	SET(mm, 0);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	cr_expect_not(life().impossible);
}

Test(lifecycle, workers_of_the_kernel_in_a_process_may_have_no_files)
{
	SET(files, 0);
	SET(flags, PF_IO_WORKER);
	cr_expect_not(life().impossible);
	SET(flags, PF_USER_WORKER);
	cr_expect_not(life().impossible);
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

// --- what no instant shows ---

Test(lifecycle, a_listed_task_without_files_was_read_at_two_times)
{
	SET(files, 0);
	expect_life(life(), LIFE_LIVE, NULL, "files=0x0");
	cr_expect(life().impossible);
}

Test(lifecycle, a_listed_task_without_memory_was_read_at_two_times)
{
	SET(mm, 0);
	expect_life(life(), LIFE_LIVE, NULL, "mm=0x0");
	cr_expect(life().impossible);
}

// --- what is not in the image ---

Test(lifecycle, a_task_in_an_absent_page_has_no_class)
{
	guest_drop(g, guest_pa(g, task));
	expect_life(life(), LIFE_UNKNOWN, NULL, NULL);
	cr_expect_not(life().impossible);
}

// task_struct has several pages; that one of them is absent must not read as zeros.
Test(lifecycle, a_task_of_which_a_page_is_absent_has_no_class)
{
	static const enum field decisive[] = {F(task_struct, flags), F(task_struct, exit_state),
					      F(task_struct, mm), F(task_struct, files)};
	uint64_t gone = guest_page(g), there = guest_va(g, gone) - task;

	guest_drop(g, gone);
	for (size_t i = 0; i < sizeof(decisive) / sizeof(*decisive); i++) {
		struct field_place place = g->k.field[decisive[i]];
		guest_place(g, decisive[i], (uint32_t)there, 8);
		expect_life(life(), LIFE_UNKNOWN, NULL, NULL);
		g->k.field[decisive[i]] = place;
	}
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

Test(lifecycle, memory_that_is_absent_is_not_memory_in_exec)
{
	uint64_t gone = guest_page(g);

	guest_drop(g, gone);
	SET(mm, guest_va(g, gone));
	expect_life(life(), LIFE_LIVE, NULL, NULL);
}

Test(lifecycle, a_kernel_without_a_field_is_judged_by_the_others)
{
	guest_unplace(g, F(task_struct, in_execve));
	guest_unplace(g, F(task_struct, on_rq));
	guest_unplace(g, F(task_struct, cg_list));
	guest_unplace(g, F(signal_struct, core_state));
	expect_life(life(), LIFE_LIVE, NULL, NULL);
	SET(flags, PF_EXITING);
	expect_life(life(), LIFE_DYING, "D1", "flags=0x4");
}
