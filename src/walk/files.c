// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks descriptor tables: files_struct -> fdtable -> struct file.
#include "src/walk/files.h"

#include <inttypes.h>

enum {
	MAX_FDS = 1 << 22,     // four times the default of sysctl_nr_open
	MAX_FILES = 1 << 24,   // of all processes together
	STRANGERS_IN_ROW = 64, // more slots without a file, and the table is over
	SLOTS = PAGE_SIZE / 8,
};

uint64_t file_inode(struct walk *w, uint64_t file)
{
	return k_or0(w->k, file, F(file, f_inode));
}

struct kpath files_reader_root(struct walk *w)
{
	const struct task *first = tasks_first(w->tasks);
	struct kpath root = {0};

	if (first)
		(void)kpath_read(w, k_field_va(w->k, first->fs, F(fs_struct, root)), &root);
	return root;
}

struct fd_table {
	struct walk *w;
	const struct task *task;
	enum table_id table;	// that problems are about
	uint64_t close_on_exec; // its bitmap
	uint64_t strangers, in_row, first_stranger;
	uint64_t *budget;
	void (*visit)(void *arg, const struct open_file *f);
	void *arg;
};

static bool is_cloexec(const struct fd_table *t, uint64_t fd)
{
	bool set;

	return k_bit(t->w->k, t->close_on_exec, fd, &set) && set;
}

// A struct file has its dentry's inode (fs/open.c, do_dentry_open()).
static bool is_file(struct walk *w, uint64_t file, uint64_t inode)
{
	uint64_t path = k_field_va(w->k, file, F(file, f_path));
	uint64_t dentry = k_or0(w->k, path, F(path, dentry));

	return k_plausible(w->k, file) && k_plausible(w->k, inode) &&
	       (!k_has(w->k, F(dentry, d_inode)) ||
		k_or0(w->k, dentry, F(dentry, d_inode)) == inode);
}

static void visit_file(struct fd_table *t, uint64_t fd, uint64_t file)
{
	struct open_file f = {
		.task = t->task,
		.fd = fd,
		.file = file,
		.inode = k_plausible(t->w->k, file) ? file_inode(t->w, file) : 0,
	};

	if (!is_file(t->w, file, f.inode)) {
		if (t->strangers++ == 0)
			t->first_stranger = file;
		t->in_row++;
		return;
	}
	t->in_row = 0;
	f.cloexec = is_cloexec(t, fd);
	t->visit(t->arg, &f);
}

// False where the table must end, whatever it claims.
static bool visit_slots(struct fd_table *t, uint64_t first_fd, const uint8_t *slots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t file = files_pointer(k_ptr_in(t->w->k, slots + i * t->w->k->word));
		if (!file)
			continue;
		if (*t->budget == 0 || t->in_row >= STRANGERS_IN_ROW ||
		    walk_is_full(t->w, t->table))
			return false;
		--*t->budget;
		visit_file(t, first_fd + i, file);
	}
	return true;
}

static void say(const struct fd_table *t, uint64_t addr, const char *what)
{
	walk_problem(t->w, ERROR, t->table, t->task->addr, addr,
		     "descriptors of process %" PRId64 ": %s", t->task->pid, what);
}

static void visit_table(struct fd_table *t, uint64_t slots_va, uint64_t max_fds)
{
	uint8_t slots[PAGE_SIZE];
	size_t word = t->w->k->word;

	for (uint64_t fd = 0; fd < max_fds; fd += SLOTS) {
		size_t n = max_fds - fd < SLOTS ? (size_t)(max_fds - fd) : SLOTS;
		if (!k_read(t->w->k, slots_va + fd * word, slots, n * word)) {
			say(t, slots_va + fd * word, "a part of their table can't be read");
			return;
		}
		if (!visit_slots(t, fd, slots, n))
			break;
	}
	if (*t->budget == 0)
		say(t, slots_va, "more than can be true of all processes together");
	else if (t->strangers)
		say(t, t->first_stranger, "some lead to no file");
}

// How many descriptors a table can have: its two bitmaps lie side by side (fs/file.c,
// alloc_fdtable(); in the other order where they are in files_struct itself).
static uint64_t room_of(struct kernel *k, uint64_t fdt)
{
	uint64_t a, b;

	if (!k_get(k, fdt, F(fdtable, open_fds), &a) ||
	    !k_get(k, fdt, F(fdtable, close_on_exec), &b))
		return MAX_FDS;
	uint64_t bytes = a > b ? a - b : b - a;
	return bytes < MAX_FDS / 8 ? bytes * 8 : MAX_FDS;
}

static void visit_process(struct fd_table *t)
{
	struct kernel *k = t->w->k;
	uint64_t files = t->task->files, fdt = k_or0(k, files, F(files_struct, fdt));
	uint64_t max_fds, room, slots = k_or0(k, fdt, F(fdtable, fd));

	if (!slots || !k_get(k, fdt, F(fdtable, max_fds), &max_fds)) {
		say(t, files, "their table can't be read");
		return;
	}
	t->close_on_exec = k_or0(k, fdt, F(fdtable, close_on_exec));
	room = room_of(k, fdt);
	if (max_fds > room) {
		walk_problem(t->w, ERROR, t->table, t->task->addr, fdt,
			     "process %" PRId64 " claims %" PRIu64
			     " descriptors, for which it has no room",
			     t->task->pid, max_fds);
		max_fds = room;
	}
	visit_table(t, slots, max_fds);
}

void files_each(struct walk *w, enum table_id table,
		void (*visit)(void *, const struct open_file *), void *arg)
{
	const struct task *task;
	uint64_t budget = MAX_FILES;

	for (size_t i = 0;
	     budget && !walk_is_full(w, table) && (task = task_next_leader(w->tasks, &i));) {
		struct fd_table t = {.w = w,
				     .task = task,
				     .table = table,
				     .budget = &budget,
				     .visit = visit,
				     .arg = arg};
		if (task->files)
			visit_process(&t);
	}
}
