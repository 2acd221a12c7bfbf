// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads argv and environ as get_mm_cmdline() and environ_read() of fs/proc/base.c do.
#include "src/walk/process_text.h"

#include <inttypes.h>
#include <string.h>

enum { MAX_TEXT = 6 << 20 }; // the kernel's own limit of argv and environ together

struct text_range {
	uint64_t arg_start, arg_end, env_start, env_end;
};

static bool read_range(struct walk *w, uint64_t mm, struct text_range *r)
{
	struct kernel *k = w->k;

	return k_get(k, mm, F(mm_struct, arg_start), &r->arg_start) &&
	       k_get(k, mm, F(mm_struct, arg_end), &r->arg_end) &&
	       k_get(k, mm, F(mm_struct, env_start), &r->env_start) &&
	       k_get(k, mm, F(mm_struct, env_end), &r->env_end);
}

static struct user_text read_user(struct walk *w, struct aspace *as, uint64_t start, uint64_t end)
{
	uint64_t user_end = k_user_end(w->k);
	struct user_text t = {.whole = true, .why = AS_NOT_MAPPED};

	if (end <= start)
		return (struct user_text){.p = "", .whole = true};
	t.absurd = end > user_end || end - start > MAX_TEXT;
	if (start >= user_end)
		return t;
	size_t want = end - start < MAX_TEXT ? (size_t)(end - start) : MAX_TEXT;
	char *p = arena_alloc(&w->row, want);
	t.n = aspace_read_some(as, start, p, want, &t.why);
	t.whole = t.n == end - start;
	t.p = t.n ? p : NULL;
	return t;
}

// A process that wrote over the end of its arguments (setproctitle) has one string from arg_start
// on, which may run into the environment.
static struct user_text read_title(struct walk *w, struct aspace *as, uint64_t start, uint64_t end)
{
	struct user_text t = read_user(w, as, start, end);
	size_t n = t.p ? strnlen(t.p, t.n) : 0;

	t.whole = t.whole || n < t.n;
	t.n = n;
	return t;
}

struct user_text process_arguments(struct walk *w, const struct task *t)
{
	struct text_range r;
	struct aspace as;
	char last;
	enum as_fault why;

	if (!read_range(w, t->mm, &r) || !k_user_space(w->k, t->mm, &as))
		return (struct user_text){.why = AS_TABLE_ABSENT};
	if (r.arg_end <= r.arg_start)
		return (struct user_text){.p = "", .whole = true};
	uint64_t page = 1ULL << w->k->page_shift;
	if (r.env_start == r.arg_end && r.env_end >= r.env_start &&
	    aspace_read_some(&as, r.arg_end - 1, &last, 1, &why) == 1 && last) {
		uint64_t end = r.env_end - r.arg_start < page ? r.env_end : r.arg_start + page;
		return read_title(w, &as, r.arg_start, end);
	}
	return read_user(w, &as, r.arg_start, r.arg_end);
}

struct user_text process_environment(struct walk *w, const struct task *t)
{
	struct text_range r;
	struct aspace as;

	if (!read_range(w, t->mm, &r) || !k_user_space(w->k, t->mm, &as))
		return (struct user_text){.why = AS_TABLE_ABSENT};
	return read_user(w, &as, r.env_start, r.env_end);
}

void process_text_check(struct walk *w, enum table_id table, const struct task *t,
			const struct user_text *text, const char *what)
{
	if (text->absurd)
		walk_problem(w, WARNING, table, t->addr, t->mm,
			     "%s of process %" PRId64 " lie in a range that can't be true", what,
			     t->pid);
	else if (!text->p || !text->whole)
		// swapped pages are the guest's affair, missing ones the image's
		walk_problem(w, text->why == AS_NOT_MAPPED ? NOTE : WARNING, table, t->addr, 0,
			     "%s of process %" PRId64 ": %s", what, t->pid,
			     as_fault_text(text->why));
}

// --- process_envs ---

static void emit_variable(struct walk *w, const struct task *t, const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n);
	size_t key = eq ? (size_t)(eq - s) : n;
	struct row_process_envs row = {
		.pid = task_pid(t),
		.key = some_bytes(s, key),
		.value = eq ? some_bytes(eq + 1, n - key - 1) : some_text(""),
		.task_addr = some_addr(t->addr),
	};

	WALK_EMIT(w, process_envs, &row);
}

static void emit_environment(struct walk *w, const struct task *t)
{
	struct user_text env = process_environment(w, t);

	process_text_check(w, TABLE_process_envs, t, &env, "the environment");
	if (!env.p)
		return;
	char *copy = mem_alloc(env.n + 1); // rows reset the arena that env is in
	memcpy(copy, env.p, env.n);
	for (size_t i = 0; i < env.n && !walk_is_full(w, TABLE_process_envs);) {
		size_t n = strnlen(copy + i, env.n - i);
		if (n)
			emit_variable(w, t, copy + i, n);
		i += n + 1;
	}
	mem_free(copy);
}

static void run(struct walk *w)
{
	const struct task *t;

	for (size_t i = 0;
	     !walk_is_full(w, TABLE_process_envs) && (t = task_next_leader(w->tasks, &i));)
		if (t->mm && !task_is_kthread(t) && !task_lost(t, LOST_ARGUMENTS))
			emit_environment(w, t);
}

const struct extractor walk_envs = {
	.name = "envs",
	.tables = {TABLE_process_envs},
	.n_tables = 1,
	.needs = {F(mm_struct, env_start), F(mm_struct, env_end)},
	.n_needs = 2,
	.run = run,
};
