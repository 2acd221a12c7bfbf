// SPDX-License-Identifier: LGPL-2.1-or-later
// The predicates of life and death, evaluated in the order: dead, dying, fresh, alive.
#include "src/walk/lifecycle.h"

#include <inttypes.h>
#include <string.h>

// include/linux/sched.h, the same from 4.14 to 7.2.
enum {
	PF_EXITING_ = 0x4,
	PF_POSTCOREDUMP = 0x8,
	PF_IO_WORKER = 0x10,
	PF_FORKNOEXEC = 0x40,
	PF_DUMPCORE = 0x200,
	PF_USER_WORKER = 0x4000,
	PF_KTHREAD_ = 0x00200000,
	EXIT_DEAD = 0x10,
	TASK_DEAD = 0x80,
	TASK_NEW = 0x800,
	SIGNAL_GROUP_EXIT = 0x4,
	SIGKILL_BIT = 1 << (9 - 1),
	YOUNG_NS = 1000000000, // a fork without exec counts as young for a second
	// struct mutex: the low bits of owner are flags. kernel/locking/mutex.c
	MUTEX_FLAGS = 7,
};

// The fields of a task that decide.
struct facts {
	uint64_t flags, state, exit_state, mm, files, fs, nsproxy, stack, on_cpu, on_rq, runtime,
		switches, in_execve;
	uint64_t arg_start, arg_end, start_code, map_count;
	uint64_t signal_flags, core_state, pending;
	bool has_own_name;  // not that of its parent
	bool in_no_css_set; // cgroup_post_fork() has not put it into one
	bool before_new_mm; // in exec: still holds the mutex that setup_new_exec() gives back
	bool unread;	    // something of the task that decides could not be read
	bool unread_mm;	    // the same of its address space
	bool is_leader;
	size_t live_threads;
};

const char *lifecycle_text(enum lifecycle_class c)
{
	switch (c) {
	case LIFE_LIVE:
		return "live";
	case LIFE_FRESH:
		return "fresh";
	case LIFE_DYING:
		return "dying";
	case LIFE_AS_GOOD_AS_DEAD:
		return "as-good-as-dead";
	case LIFE_ZOMBIE:
		return "zombie";
	case LIFE_UNKNOWN:
		break;
	}
	return NULL;
}

// A field that decides. That it can't be read must not look like 0; what a kernel does not have is
// 0.
static uint64_t decisive(struct kernel *k, uint64_t base, enum field f, bool *unread)
{
	uint64_t v = 0;

	if (base && k_has(k, f) && !k_get(k, base, f, &v))
		*unread = true;
	return v;
}

static void facts_of_signal(struct kernel *k, uint64_t task, struct facts *f)
{
	uint64_t signal = k_or0(k, task, F(task_struct, signal));

	f->signal_flags = k_or0(k, signal, F(signal_struct, flags));
	f->core_state = k_or0(k, signal, F(signal_struct, core_state));
	f->pending = k_or0(k, task, F(task_struct, pending_signal));
	f->before_new_mm = !k_has(k, F(signal_struct, cred_guard_owner)) ||
			   (k_or0(k, signal, F(signal_struct, cred_guard_owner)) &
			    ~(uint64_t)MUTEX_FLAGS) == task;
}

// A user task gets its name at exec; a kernel thread since 6.6 in copy_process(), else once it
// runs.
static bool has_own_name(struct kernel *k, uint64_t task)
{
	char own[16], parents[16]; // TASK_COMM_LEN
	uint64_t parent = k_or0(k, task, F(task_struct, real_parent));

	return k_bytes(k, task, F(task_struct, comm), own, sizeof(own)) == sizeof(own) &&
	       k_bytes(k, parent, F(task_struct, comm), parents, sizeof(parents)) ==
		       sizeof(parents) &&
	       strncmp(own, parents, sizeof(own)) != 0;
}

// list_empty(&task->cg_list)
static bool in_no_css_set(struct kernel *k, uint64_t task)
{
	uint64_t node = k_field_va(k, task, F(task_struct, cg_list)), next;

	return node && k_ptr(k, node, &next) && next == node;
}

static void facts_of_mm(struct kernel *k, struct facts *f)
{
	f->arg_start = decisive(k, f->mm, F(mm_struct, arg_start), &f->unread_mm);
	f->arg_end = decisive(k, f->mm, F(mm_struct, arg_end), &f->unread_mm);
	f->start_code = decisive(k, f->mm, F(mm_struct, start_code), &f->unread_mm);
	f->map_count = decisive(k, f->mm, F(mm_struct, map_count), &f->unread_mm);
}

static struct facts facts_of(struct walk *w, uint64_t t, bool is_leader, size_t live_threads)
{
	struct kernel *k = w->k;
	struct facts f = {.is_leader = is_leader, .live_threads = live_threads};

	f.flags = decisive(k, t, F(task_struct, flags), &f.unread);
	f.state = decisive(k, t, F(task_struct, state), &f.unread);
	f.exit_state = decisive(k, t, F(task_struct, exit_state), &f.unread);
	f.mm = decisive(k, t, F(task_struct, mm), &f.unread);
	f.files = decisive(k, t, F(task_struct, files), &f.unread);
	f.fs = decisive(k, t, F(task_struct, fs), &f.unread);
	f.nsproxy = decisive(k, t, F(task_struct, nsproxy), &f.unread);
	f.stack = decisive(k, t, F(task_struct, stack), &f.unread);
	f.on_cpu = decisive(k, t, F(task_struct, on_cpu), &f.unread);
	f.on_rq = decisive(k, t, F(task_struct, on_rq), &f.unread);
	f.runtime = decisive(k, t, F(task_struct, sum_exec_runtime), &f.unread);
	f.switches = decisive(k, t, F(task_struct, nvcsw), &f.unread);
	f.switches += decisive(k, t, F(task_struct, nivcsw), &f.unread);
	f.in_execve = k_or0(k, t, F(task_struct, in_execve));
	f.in_no_css_set = in_no_css_set(k, t);
	f.has_own_name = has_own_name(k, t);
	facts_of_signal(k, t, &f);
	facts_of_mm(k, &f);
	return f;
}

static bool is_kthread(const struct facts *f)
{
	return f->flags & PF_KTHREAD_;
}

#define EVIDENCE(w, fmt, ...) arena_printf(&(w)->run, fmt, __VA_ARGS__)

// What do_exit() has taken from it so far.
static unsigned taken(const struct facts *f)
{
	unsigned lost = 0;

	if (!is_kthread(f) && f->mm == 0)
		lost |= LOST_MEMORY;
	if (f->files == 0)
		lost |= LOST_FILES;
	if (f->fs == 0)
		lost |= LOST_DIRECTORIES;
	if (f->nsproxy == 0)
		lost |= LOST_NAMESPACES;
	if (f->exit_state && f->stack == 0)
		lost |= LOST_STACK;
	return lost;
}

static bool has_heirs(const struct facts *f)
{
	size_t itself = f->exit_state ? 0 : 1;

	return f->is_leader && f->live_threads > itself;
}

// exit_notify() sets exit_state; do_task_dead() TASK_DEAD; the scheduler then lets go of the CPU.
static struct lifecycle dead(struct walk *w, const struct facts *f)
{
	struct lifecycle l = {.class = LIFE_ZOMBIE, .lost = taken(f)};

	if (f->exit_state & EXIT_DEAD)
		l.phase = "X1";
	else if (has_heirs(f))
		l.phase = "leader";
	else
		l.phase = f->state == TASK_DEAD && !f->on_cpu ? "Z2" : "Z1";
	l.evidence = EVIDENCE(w,
			      "exit_state=0x%" PRIx64 " state=0x%" PRIx64 " on_cpu=%" PRIu64
			      " flags=0x%" PRIx64 " live_threads=%zu",
			      f->exit_state, f->state, f->on_cpu, f->flags, f->live_threads);
	return l;
}

// do_exit(): exit_signals, exit_mm, exit_files, exit_fs.
static struct lifecycle dying(struct walk *w, const struct facts *f)
{
	bool no_memory = is_kthread(f) || f->mm == 0;
	struct lifecycle l = {.class = LIFE_DYING, .lost = taken(f)};

	if (f->files == 0 && no_memory) {
		l.class = LIFE_AS_GOOD_AS_DEAD;
		l.phase = f->fs == 0 ? "D4" : "D3";
	} else {
		l.phase = no_memory && !is_kthread(f) ? "D2" : "D1";
	}
	l.evidence = EVIDENCE(w,
			      "flags=0x%" PRIx64 " exit_state=0x0 mm=0x%" PRIx64 " files=0x%" PRIx64
			      " fs=0x%" PRIx64,
			      f->flags, f->mm, f->files, f->fs);
	return l;
}

// Its task_struct is a copy of its parent's: the name is, and so are memory and program.
static struct lifecycle newborn(struct walk *w, const struct facts *f)
{
	struct lifecycle l = {.class = LIFE_FRESH, .lost = LOST_RUNS | LOST_OWN_NAME};

	if (!(f->state & TASK_NEW))
		l.phase = "N4";
	else
		l.phase = f->in_no_css_set ? "N2" : "N3";
	if (f->in_no_css_set)
		l.lost |= LOST_CGROUP;
	if (is_kthread(f) && f->has_own_name)
		l.lost &= ~(unsigned)LOST_OWN_NAME;
	l.evidence = EVIDENCE(w,
			      "state=0x%" PRIx64 " on_rq=%" PRIu64 " sum_exec_runtime=%" PRIu64
			      " context_switches=%" PRIu64 " in_css_set=%d",
			      f->state, f->on_rq, f->runtime, f->switches, !f->in_no_css_set);
	return l;
}

// exec_mmap() installs an empty mm; setup_arg_pages() sets arg_start; then the program is mapped
// beside the stack; create_elf_tables() sets arg_end, and load_elf_binary() start_code last of all.
static bool is_in_exec(const struct facts *f)
{
	return !is_kthread(f) && f->mm && !f->unread_mm && (f->arg_end == 0 || f->start_code == 0);
}

static const char *exec_phase(const struct facts *f)
{
	if (f->arg_start == 0)
		return "E2";
	return f->arg_end != 0 || f->map_count > 1 ? "E4" : "E3";
}

static struct lifecycle in_exec(struct walk *w, const struct facts *f)
{
	struct lifecycle l = {.class = LIFE_FRESH, .phase = exec_phase(f), .lost = LOST_ARGUMENTS};

	// __set_task_comm() and commit_creds() come after exec_mmap(), before setup_arg_pages()
	if (f->arg_start == 0)
		l.lost |= LOST_NEW_NAME;
	l.evidence = EVIDENCE(w,
			      "mm=0x%" PRIx64 " arg_start=0x%" PRIx64 " arg_end=0x%" PRIx64
			      " start_code=0x%" PRIx64 " map_count=%" PRIu64,
			      f->mm, f->arg_start, f->arg_end, f->start_code, f->map_count);
	return l;
}

static bool never_ran(const struct facts *f)
{
	return f->state == 0 && f->on_rq == 1 && f->on_cpu == 0 && f->runtime == 0 &&
	       f->switches == 0;
}

// User mode helpers and io workers have parts missing by design.
static bool lacks_what_all_have(const struct facts *f)
{
	bool worker = f->flags & (PF_USER_WORKER | PF_IO_WORKER);
	bool helper = f->flags & PF_FORKNOEXEC;

	return !is_kthread(f) && ((f->files == 0 && !worker) || (f->mm == 0 && !helper));
}

static bool is_young(struct walk *w, uint64_t task)
{
	uint64_t start;

	if (!w->now_boottime.set || !k_get(w->k, task, F(task_struct, start_boottime), &start))
		return false;
	// the clock in memory is that of the last tick, the start may be later
	uint64_t now = (uint64_t)w->now_boottime.v;
	return start <= now ? now - start < YOUNG_NS : start - now < YOUNG_NS;
}

// A signal has ended the group, or a dump of it is under way.
static bool is_doomed(const struct facts *f)
{
	return (f->signal_flags & SIGNAL_GROUP_EXIT) || (f->pending & SIGKILL_BIT) ||
	       (f->flags & PF_DUMPCORE);
}

static struct lifecycle living(struct walk *w, uint64_t task, const struct facts *f)
{
	struct lifecycle l = {.class = LIFE_LIVE};

	if (lacks_what_all_have(f))
		l.impossible = true;
	else if ((f->flags & PF_POSTCOREDUMP) && f->core_state)
		l.phase = "D0c";
	else if (is_doomed(f))
		l.phase = "D0";
	else if (f->in_execve)
		l.phase = f->before_new_mm ? "E1" : "E5";
	else if (!is_kthread(f) && (f->flags & PF_FORKNOEXEC) && is_young(w, task))
		l.phase = "N5";
	if (l.phase || l.impossible)
		l.evidence = EVIDENCE(
			w,
			"flags=0x%" PRIx64 " mm=0x%" PRIx64 " files=0x%" PRIx64
			" signal.flags=0x%" PRIx64 " pending=0x%" PRIx64 " in_execve=%" PRIu64,
			f->flags, f->mm, f->files, f->signal_flags, f->pending, f->in_execve);
	return l;
}

static struct lifecycle classify(struct walk *w, uint64_t task, const struct facts *f)
{
	if (f->exit_state)
		return dead(w, f);
	if (f->flags & PF_EXITING_)
		return dying(w, f);
	if ((f->state & TASK_NEW) || never_ran(f))
		return newborn(w, f);
	if (is_in_exec(f))
		return in_exec(w, f);
	return living(w, task, f);
}

struct lifecycle lifecycle_of(struct walk *w, uint64_t task, bool is_leader, size_t live_threads)
{
	struct facts f = facts_of(w, task, is_leader, live_threads);

	if (f.unread)
		return (struct lifecycle){.class = LIFE_UNKNOWN};
	struct lifecycle l = classify(w, task, &f);
	if (l.lost && has_heirs(&f)) // what it lost is its threads' still
		l.lost = (l.lost & LOST_STACK) | LOST_TO_THREADS;
	l.missing = lifecycle_missing(&w->run, l.lost);
	return l;
}
