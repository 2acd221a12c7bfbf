// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks descriptor tables: files_struct -> fdtable -> struct file.
#include "src/walk/files.h"

#include "src/base/bytes.h"

#include <inttypes.h>

enum {
	MAX_FDS = 1 << 22, // four times the default of sysctl_nr_open
	SLOTS = PAGE_SIZE / 8,
};

uint64_t file_inode(struct walk *w, uint64_t file)
{
	return k_or0(w->k, file, F(file, f_inode));
}

struct kpath files_reader_root(struct walk *w)
{
	const struct task *t;
	struct kpath root = {0};

	for (size_t i = 0; (t = task_next_leader(w->tasks, &i));)
		if (t->pid == 1)
			(void)kpath_read(w, k_field_va(w->k, t->fs, F(fs_struct, root)), &root);
	return root;
}

struct fd_table {
	struct walk *w;
	const struct task *task;
	uint64_t close_on_exec; // its bitmap
	void (*visit)(void *arg, const struct open_file *f);
	void *arg;
};

static bool is_cloexec(const struct fd_table *t, uint64_t fd)
{
	uint64_t word;

	return k_u64(t->w->k, t->close_on_exec + fd / 64 * 8, &word) && (word >> fd % 64 & 1);
}

static void visit_slots(const struct fd_table *t, uint64_t first_fd, const uint8_t *slots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t file = files_pointer(le64(slots + i * 8));
		if (!file)
			continue;
		struct open_file f = {
			.task = t->task,
			.fd = first_fd + i,
			.file = file,
			.inode = file_inode(t->w, file),
			.cloexec = is_cloexec(t, first_fd + i),
		};
		t->visit(t->arg, &f);
	}
}

// False at the first slots that can't be read.
static bool visit_table(const struct fd_table *t, uint64_t slots_va, uint64_t max_fds)
{
	uint8_t slots[PAGE_SIZE];

	for (uint64_t fd = 0; fd < max_fds; fd += SLOTS) {
		size_t n = max_fds - fd < SLOTS ? (size_t)(max_fds - fd) : SLOTS;
		if (!k_read(t->w->k, slots_va + fd * 8, slots, n * 8))
			return false;
		visit_slots(t, fd, slots, n);
	}
	return true;
}

static void visit_process(struct walk *w, enum table_id table, const struct task *task,
			  void (*visit)(void *, const struct open_file *), void *arg)
{
	struct kernel *k = w->k;
	uint64_t fdt = k_or0(k, task->files, F(files_struct, fdt));
	uint64_t max_fds, slots = k_or0(k, fdt, F(fdtable, fd));
	struct fd_table t = {w, task, k_or0(k, fdt, F(fdtable, close_on_exec)), visit, arg};

	if (!slots || !k_get(k, fdt, F(fdtable, max_fds), &max_fds)) {
		walk_problem(w, ERROR, table, task->addr, task->files,
			     "the descriptor table of process %" PRId64 " can't be read",
			     task->pid);
		return;
	}
	if (max_fds > MAX_FDS) {
		walk_problem(w, ERROR, table, task->addr, fdt,
			     "process %" PRId64 " claims %" PRIu64 " descriptors; %d are looked at",
			     task->pid, max_fds, MAX_FDS);
		max_fds = MAX_FDS;
	}
	if (!visit_table(&t, slots, max_fds))
		walk_problem(w, ERROR, table, task->addr, slots,
			     "descriptors of process %" PRId64 " can't be read", task->pid);
}

void files_each(struct walk *w, enum table_id table,
		void (*visit)(void *, const struct open_file *), void *arg)
{
	const struct task *t;

	for (size_t i = 0; (t = task_next_leader(w->tasks, &i));)
		if (t->files)
			visit_process(w, table, t, visit, arg);
}
