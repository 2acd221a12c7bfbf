// SPDX-License-Identifier: LGPL-2.1-or-later
// processes: one row a thread group, as /proc/PID shows it.
#include "src/walk/process.h"

#include "src/walk/cputime.h"
#include "src/walk/files.h"
#include "src/walk/process_text.h"
#include "src/walk/unlisted.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum {
	PIDTYPE_PGID = 2, // include/linux/pid_types.h, since 4.19
	PIDTYPE_SID = 3,
	MAX_USERNS_LEVEL = 32,
	NS_PER_MS = 1000000,
	NS_PER_S = 1000000000,
};

struct context {
	struct walk *w;
	struct kpath root;
	int64_t rss_index[3]; // MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES
	size_t n_rss;
};

// The number in the initial pid namespace of signal->pids[type].
static struct opt_int group_number(struct walk *w, uint64_t signal, unsigned type)
{
	struct kernel *k = w->k;
	uint64_t pid;

	if (!k_get_at(k, signal, F(signal_struct, pids), type, &pid) || !pid)
		return (struct opt_int){0};
	return col_int(w, k_field_va(k, pid, F(pid, numbers)), F(upid, nr));
}

// The number in the task's own pid namespace: the last of pid.numbers.
static struct opt_int own_number(struct walk *w, uint64_t task)
{
	struct kernel *k = w->k;
	uint64_t pid = k_or0(k, task, F(task_struct, thread_pid)), level;

	if (!k_get(k, pid, F(pid, level), &level) || level > MAX_USERNS_LEVEL)
		return (struct opt_int){0};
	uint64_t numbers = k_field_va(k, pid, F(pid, numbers));
	return col_int(w, numbers + level * k->field[F(pid, numbers)].elem_size, F(upid, nr));
}

// --- memory ---

static void find_rss_counters(struct context *c)
{
	static const char *const names[] = {"MM_FILEPAGES", "MM_ANONPAGES", "MM_SHMEMPAGES"};

	for (size_t i = 0; i < 3; i++)
		if (k_enum(c->w->k, names[i], &c->rss_index[c->n_rss]) &&
		    c->rss_index[c->n_rss] >= 0 && c->rss_index[c->n_rss] < 8)
			c->n_rss++;
}

// One counter in pages: an atomic until 6.1, then a percpu_counter whose parts are added up here.
static bool rss_counter(struct walk *w, uint64_t mm, size_t index, int64_t *pages)
{
	struct kernel *k = w->k;
	uint64_t v, counter = k_field_va(k, mm, F(mm_struct, rss_stat));

	if (k_has(k, F(mm_struct, rss_count))) {
		if (!k_get_at(k, mm, F(mm_struct, rss_count), index, &v))
			return false;
		*pages = k->word == 8 ? (int64_t)v : (int32_t)v;
		return true;
	}
	counter += index * k->field[F(mm_struct, rss_stat)].elem_size;
	return k_percpu_counter(k, counter, pages);
}

static struct opt_int resident_size(const struct context *c, uint64_t mm)
{
	uint64_t sum = 0;
	int64_t pages;

	for (size_t i = 0; i < c->n_rss; i++) {
		if (!rss_counter(c->w, mm, (size_t)c->rss_index[i], &pages))
			return (struct opt_int){0};
		if (pages > 0) // counters may be briefly negative; the kernel prints 0
			sum += (uint64_t)pages;
	}
	return c->n_rss ? some_int((int64_t)(sum << c->w->k->page_shift)) : (struct opt_int){0};
}

static void memory_columns(const struct context *c, const struct task *t, struct row_processes *row)
{
	uint64_t pages;

	if (!t->mm || task_is_kthread(t))
		return;
	row->mm_addr = some_addr(t->mm);
	row->resident_size = resident_size(c, t->mm);
	if (k_get(c->w->k, t->mm, F(mm_struct, total_vm), &pages))
		row->total_size = some_int((int64_t)(pages << c->w->k->page_shift));
}

// --- names ---

static char *path_at(const struct context *c, uint64_t va, bool *deleted)
{
	struct kpath p;

	return kpath_read(c->w, va, &p) ? path_name(c->w, p, c->root, deleted) : NULL;
}

static struct opt_text directory(const struct context *c, const struct task *t, enum field f)
{
	bool deleted = false;
	const char *name = path_at(c, k_field_va(c->w->k, t->fs, f), &deleted);

	return path_as_printed(c->w, name, deleted);
}

static void path_columns(const struct context *c, const struct task *t, struct row_processes *row)
{
	struct kernel *k = c->w->k;
	uint64_t exe = t->mm && !task_is_kthread(t) ? k_or0(k, t->mm, F(mm_struct, exe_file)) : 0;
	bool deleted = false;

	row->path = some_text(task_lost(t, LOST_MEMORY) ? NULL : "");
	if (exe) {
		row->path = some_text(path_at(c, k_field_va(k, exe, F(file, f_path)), &deleted));
		row->exe_deleted = some_int(deleted);
		row->on_disk = some_int(!deleted);
	}
	if (t->fs) {
		row->cwd = directory(c, t, F(fs_struct, pwd));
		row->root = directory(c, t, F(fs_struct, root));
	}
}

// The arguments with spaces between: the NUL that ends the last one is dropped.
static struct opt_text joined(struct walk *w, const char *p, size_t n)
{
	size_t len = n && p[n - 1] == '\0' ? n - 1 : n;
	char *s = arena_strndup(&w->row, p, len);

	for (size_t i = 0; i < len; i++)
		if (s[i] == '\0')
			s[i] = ' ';
	return some_bytes(s, len);
}

static void argument_columns(const struct context *c, const struct task *t,
			     struct row_processes *row)
{
	struct walk *w = c->w;

	if (task_lost(t, LOST_MEMORY | LOST_ARGUMENTS))
		return;
	if (!t->mm || task_is_kthread(t)) {
		row->cmdline = some_text("");
		return;
	}
	struct user_text args = process_arguments(w, t);
	process_text_check(w, TABLE_processes, t, &args, "the arguments");
	if (!args.p)
		return;
	row->cmdline = joined(w, args.p, args.n);
	if (args.n)
		row->argv = process_argv_json(w, args.p, args.n);
}

// "pts0" is shown as pts/0, as under /dev.
static struct opt_text tty_name(struct walk *w, uint64_t signal)
{
	uint64_t tty = k_or0(w->k, signal, F(signal_struct, tty));
	const char *name = tty ? k_text(w->k, &w->row, tty, F(tty_struct, name)) : NULL;

	if (name && strncmp(name, "pts", 3) == 0 && isdigit((unsigned char)name[3]))
		name = arena_printf(&w->row, "pts/%s", name + 3);
	return some_text(name);
}

// --- the rest ---

static void cred_columns(struct walk *w, const struct task *t, struct row_processes *row)
{
	uint64_t caps;

	row->uid = col_int(w, t->cred, F(cred, uid));
	row->gid = col_int(w, t->cred, F(cred, gid));
	row->euid = col_int(w, t->cred, F(cred, euid));
	row->egid = col_int(w, t->cred, F(cred, egid));
	row->suid = col_int(w, t->cred, F(cred, suid));
	row->sgid = col_int(w, t->cred, F(cred, sgid));
	row->fsuid = col_int(w, t->cred, F(cred, fsuid));
	row->fsgid = col_int(w, t->cred, F(cred, fsgid));
	if (k_u64(w->k, k_field_va(w->k, t->cred, F(cred, cap_effective)), &caps))
		row->cap_effective = row_printf(w, "%016" PRIx64, caps);
}

void process_started(struct walk *w, uint64_t task, struct row_processes *row)
{
	uint64_t start;

	if (!w->boot_ns.set || !k_get(w->k, task, F(task_struct, start_boottime), &start))
		return;
	row->start_ns = some_int(wrapping_sum(w->boot_ns.v, (int64_t)start));
	row->start_time = some_int(row->start_ns.v / NS_PER_S);
}

static void time_columns(struct walk *w, const struct task *t, struct row_processes *row)
{
	struct cputime cpu = cputime_of_group(w, t);

	row->user_time = some_int((int64_t)(cpu.user_ns / NS_PER_MS));
	row->system_time = some_int((int64_t)(cpu.system_ns / NS_PER_MS));
	process_started(w, t->addr, row);
}

static void io_columns(struct walk *w, const struct task *t, struct row_processes *row)
{
	struct kernel *k = w->k;

	if (!k_has(k, F(task_struct, ioac_read)))
		return;
	uint64_t in = k_or0(k, t->signal, F(signal_struct, ioac_read));
	uint64_t out = k_or0(k, t->signal, F(signal_struct, ioac_write));
	for (size_t i = 0; i < t->n_threads; i++) {
		in += k_or0(k, t[i].addr, F(task_struct, ioac_read));
		out += k_or0(k, t[i].addr, F(task_struct, ioac_write));
	}
	row->disk_bytes_read = some_int((int64_t)in);
	row->disk_bytes_written = some_int((int64_t)out);
}

static void relation_columns(struct walk *w, const struct task *t, struct row_processes *row)
{
	struct kernel *k = w->k;
	uint64_t static_prio;

	row->parent =
		col_int(w, k_or0(k, t->addr, F(task_struct, real_parent)), F(task_struct, tgid));
	row->pgroup = group_number(w, t->signal, PIDTYPE_PGID);
	row->session = group_number(w, t->signal, PIDTYPE_SID);
	row->tgid_ns = own_number(w, t->addr);
	row->threads = col_int(w, t->signal, F(signal_struct, nr_threads));
	row->tty = tty_name(w, t->signal);
	if (k_get(k, t->addr, F(task_struct, static_prio), &static_prio))
		row->nice = some_int(wrapping_sum((int64_t)static_prio, -120));
}

static void life_columns(struct walk *w, const struct task *t, struct row_processes *row)
{
	row->exit_signal = col_int(w, t->addr, F(task_struct, exit_signal));
	if (t->life.class == LIFE_ZOMBIE || t->life.class == LIFE_DYING ||
	    t->life.class == LIFE_AS_GOOD_AS_DEAD)
		row->exit_code = col_int(w, t->addr, F(task_struct, exit_code));
}

struct row_processes process_remains(struct walk *w, const struct task *leader)
{
	char state = process_state_letter(w, leader->addr);

	return (struct row_processes){
		.pid = task_pid(leader),
		.name = some_text(leader->comm),
		.state = state ? some_bytes(arena_strndup(&w->row, &state, 1), 1)
			       : (struct opt_text){0},
		.on_disk = some_int(-1),
		.wired_size = some_int(0),
		.start_time = some_int(-1),
		.lifecycle = some_text(lifecycle_text(leader->life.class)),
		.phase = some_text(leader->life.phase),
		.lifecycle_evidence = some_text(leader->life.evidence),
		.is_kthread = some_int(task_is_kthread(leader)),
		.flags = col_int(w, leader->addr, F(task_struct, flags)),
		.task_addr = some_addr(leader->addr),
		.found_by = some_text(leader->found_by),
	};
}

static void emit_process(const struct context *c, const struct task *t)
{
	struct walk *w = c->w;
	struct row_processes row = process_remains(w, t);

	if (!task_lost(t, LOST_CGROUP))
		row.cgroup_path = some_text(process_cgroup(w, t->addr));
	row.login_uid = col_int(w, t->addr, F(task_struct, loginuid));
	cred_columns(w, t, &row);
	memory_columns(c, t, &row);
	path_columns(c, t, &row);
	argument_columns(c, t, &row);
	time_columns(w, t, &row);
	io_columns(w, t, &row);
	relation_columns(w, t, &row);
	life_columns(w, t, &row);
	WALK_EMIT(w, processes, &row);
}

static void run(struct walk *w)
{
	struct context c = {.w = w, .root = files_reader_root(w)};
	const struct task *t;

	find_rss_counters(&c);
	for (size_t i = 0; (t = task_next_leader(w->tasks, &i));)
		emit_process(&c, t);
	unlisted_emit_processes(w);
}

const struct extractor walk_processes = {
	.name = "processes",
	.tables = {TABLE_processes},
	.n_tables = 1,
	.run = run,
};
