// SPDX-License-Identifier: LGPL-2.1-or-later
// process_memory_map: what /proc/PID/maps prints, after show_map_vma() of fs/proc/task_mmu.c.
#include "src/walk/files.h"
#include "src/walk/vma.h"

#include <inttypes.h>

enum {
	VM_READ = 1,
	VM_WRITE = 2,
	VM_EXEC = 4,
	VM_MAYSHARE = 0x80,
	VSYSCALL_NONE = 2,	  // arch/x86/entry/vsyscall/vsyscall_64.c: EMULATE, XONLY, NONE
	MM_HAS_VSYSCALL = 1 << 1, // MM_CONTEXT_HAS_VSYSCALL, arch/x86/include/asm/mmu.h
	ANON_NAME_MAX = 256,
};

struct context {
	struct walk *w;
	struct kpath root;
	const struct task *task; // the leader
	uint64_t brk, start_brk, start_stack;
};

struct mapping {
	uint64_t vma, start, end, flags, file;
};

// The bracketed name of memory without a file, or NULL: [vdso], [heap], [stack], [anon:NAME].
static const char *anonymous_name(const struct context *c, const struct mapping *m)
{
	struct walk *w = c->w;
	struct kernel *k = w->k;
	uint64_t ops = k_or0(k, m->vma, F(vm_area_struct, vm_ops));

	if (ops && ops == k->symbol[S(special_mapping_vmops)]) {
		uint64_t special = k_or0(k, m->vma, F(vm_area_struct, vm_private_data));
		uint64_t name = k_or0(k, special, F(vm_special_mapping, name));
		return name ? k_string(k, &w->row, name, 64) : NULL;
	}
	if (k_or0(k, m->vma, F(vm_area_struct, vm_mm)) == 0)
		return m->vma == k->symbol[S(gate_vma)] ? "[vsyscall]" : "[vdso]";
	if (m->start < c->brk && m->end > c->start_brk)
		return "[heap]";
	if (m->start <= c->start_stack && m->end >= c->start_stack)
		return "[stack]";
	return NULL;
}

// Whether anon_name has a place of its own; before 6.2 a mapping with a file keeps an interval tree
// node there.
static bool name_has_own_place(const struct kernel *k)
{
	return k->field[F(vm_area_struct, anon_name)].off !=
	       k->field[F(vm_area_struct, shared)].off;
}

// prctl(PR_SET_VMA_ANON_NAME): [anon:NAME], for shared memory [anon_shmem:NAME] in place of its
// file.
static const char *given_name(const struct context *c, const struct mapping *m)
{
	struct walk *w = c->w;

	if (m->file && !name_has_own_place(w->k))
		return NULL;
	uint64_t name = k_or0(w->k, m->vma, F(vm_area_struct, anon_name));
	uint64_t text = k_field_va(w->k, name, F(anon_vma_name, name));

	if (!text || !k_plausible(w->k, name))
		return NULL;
	const char *s = k_string(w->k, &w->row, text, ANON_NAME_MAX);
	return s ? arena_printf(&w->row, m->file ? "[anon_shmem:%s]" : "[anon:%s]", s) : NULL;
}

static void name_columns(const struct context *c, const struct mapping *m,
			 struct row_process_memory_map *row)
{
	struct walk *w = c->w;
	struct kpath path;
	bool deleted = false;
	const char *name = m->file ? given_name(c, m) : anonymous_name(c, m);

	if (!m->file && !name)
		name = given_name(c, m);
	if (m->file && !name) {
		if (kpath_read(w, k_field_va(w->k, m->file, F(file, f_path)), &path)) {
			const char *s = path_name(w, path, c->root, &deleted);
			row->path = path_as_printed(w, s, deleted);
		}
		row->deleted = some_int(deleted);
		row->pseudo = some_int(0);
		return;
	}
	row->path = some_text(name ? name : "");
	row->name = some_text(name);
	row->pseudo = some_int(name != NULL);
}

static void file_columns(struct walk *w, const struct mapping *m,
			 struct row_process_memory_map *row)
{
	uint64_t inode = file_inode(w, m->file), dev, pgoff;

	row->file_addr = some_addr(m->file);
	row->inode = col_int(w, inode, F(inode, i_ino));
	if (k_get(w->k, k_or0(w->k, inode, F(inode, i_sb)), F(super_block, s_dev), &dev))
		row->device = col_device(w, dev);
	if (k_get(w->k, m->vma, F(vm_area_struct, vm_pgoff), &pgoff))
		row->offset = some_int((int64_t)(pgoff << w->k->page_shift));
}

static void emit_mapping(const struct context *c, const struct mapping *m)
{
	struct walk *w = c->w;
	struct row_process_memory_map row = {
		.pid = task_pid(c->task),
		.start = row_printf(w, "0x%08" PRIx64, m->start),
		.end = row_printf(w, "0x%08" PRIx64, m->end),
		.permissions =
			row_printf(w, "%c%c%c%c", m->flags & VM_READ ? 'r' : '-',
				   m->flags & VM_WRITE ? 'w' : '-', m->flags & VM_EXEC ? 'x' : '-',
				   m->flags & VM_MAYSHARE ? 's' : 'p'),
		.offset = some_int(0),
		.device = some_text("00:00"),
		.inode = some_int(0),
		.vm_flags = some_addr(m->flags),
		.vma_addr = some_addr(m->vma),
		.task_addr = some_addr(c->task->addr),
	};

	if (m->file)
		file_columns(w, m, &row);
	name_columns(c, m, &row);
	WALK_EMIT(w, process_memory_map, &row);
}

static bool visit_vma(void *arg, uint64_t vma)
{
	const struct context *c = arg;
	struct kernel *k = c->w->k;
	struct mapping m = {.vma = vma};

	if (!k_get(k, vma, F(vm_area_struct, vm_start), &m.start) ||
	    !k_get(k, vma, F(vm_area_struct, vm_end), &m.end) ||
	    !k_get(k, vma, F(vm_area_struct, vm_flags), &m.flags)) {
		walk_problem(c->w, ERROR, TABLE_process_memory_map, c->task->addr, vma,
			     "a mapping of process %" PRId64 " can't be read", c->task->pid);
		return true;
	}
	m.file = k_or0(k, vma, F(vm_area_struct, vm_file));
	emit_mapping(c, &m);
	return !walk_is_full(c->w, TABLE_process_memory_map);
}

// The vsyscall page, which maps prints last: get_gate_vma() of arch/x86/entry/vsyscall.
static void visit_gate(struct context *c, uint64_t mm)
{
	struct kernel *k = c->w->k;
	uint64_t flags, mode;

	if (!k->symbol[S(gate_vma)] || !k_variable(k, S(vsyscall_mode), 4, &mode) ||
	    mode == VSYSCALL_NONE)
		return;
	if (k_get(k, mm, F(mm_struct, context_flags), &flags) && !(flags & MM_HAS_VSYSCALL))
		return;
	(void)visit_vma(c, k->symbol[S(gate_vma)]);
}

static void map_of(struct context *c)
{
	struct kernel *k = c->w->k;
	uint64_t mm = c->task->mm;

	c->brk = k_or0(k, mm, F(mm_struct, brk));
	c->start_brk = k_or0(k, mm, F(mm_struct, start_brk));
	c->start_stack = k_or0(k, mm, F(mm_struct, start_stack));
	enum iter_end end = vma_each(c->w, mm, visit_vma, c);
	visit_gate(c, mm);
	walk_check_end(c->w, TABLE_process_memory_map, c->task->addr, mm, end,
		       "the mappings of a process");
}

static void run(struct walk *w)
{
	struct context c = {.w = w, .root = files_reader_root(w)};

	for (size_t i = 0; !walk_is_full(w, TABLE_process_memory_map) &&
			   (c.task = task_next_leader(w->tasks, &i));)
		if (c.task->mm && !task_is_kthread(c.task))
			map_of(&c);
}

const struct extractor walk_memory_map = {
	.name = "memory_map",
	.tables = {TABLE_process_memory_map},
	.n_tables = 1,
	.needs = {F(vm_area_struct, vm_start), F(vm_area_struct, vm_end),
		  F(vm_area_struct, vm_flags)},
	.n_needs = 3,
	.run = run,
};
