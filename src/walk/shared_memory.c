// SPDX-License-Identifier: LGPL-2.1-or-later
// shared_memory: System V segments (ipc/shm.c) of the IPC namespaces of all tasks.
#include "src/walk/ipc.h"

#include "src/walk/tasks.h"

#include <inttypes.h>

enum {
	IPC_SHM_IDS = 2, // ipc/util.h
	MAX_NAMESPACES = 1 << 16,
	MAX_NODES = 1 << 16, // of all trees of ids together; each has 64 of them
	SHM_DEST = 01000,    // include/linux/shm.h
	SHM_LOCKED = 02000,
};

struct segments {
	struct walk *w;
	uint64_t ns;	// ipc_namespace
	uint64_t nodes; // of trees that may still be read
};

// The number of a struct pid in the first namespace; 0 stands for none.
static struct opt_int pid_number(struct walk *w, uint64_t base, enum field f)
{
	uint64_t pid;

	if (!k_get(w->k, base, f, &pid))
		return (struct opt_int){0};
	return pid ? col_int(w, k_field_va(w->k, pid, F(pid, numbers)), F(upid, nr)) : some_int(0);
}

static void fill_owner(struct walk *w, struct row_shared_memory *row, uint64_t perm)
{
	uint64_t mode;

	row->shmid = col_int(w, perm, F(kern_ipc_perm, id));
	row->key = col_int(w, perm, F(kern_ipc_perm, key));
	row->owner_uid = col_int(w, perm, F(kern_ipc_perm, uid));
	row->owner_gid = col_int(w, perm, F(kern_ipc_perm, gid));
	row->creator_uid = col_int(w, perm, F(kern_ipc_perm, cuid));
	row->creator_gid = col_int(w, perm, F(kern_ipc_perm, cgid));
	if (!k_get(w->k, perm, F(kern_ipc_perm, mode), &mode))
		return;
	row->permissions = row_printf(w, "%04o", (unsigned)mode & 07777);
	row->status = some_text(mode & SHM_DEST ? "dest" : "");
	row->locked = some_int((mode & SHM_LOCKED) != 0);
}

static void emit_segment(const struct segments *s, uint64_t perm)
{
	struct walk *w = s->w;
	uint64_t shm = k_container(w->k, perm, F(shmid_kernel, shm_perm));
	uint64_t file = k_or0(w->k, shm, F(shmid_kernel, shm_file));
	struct row_shared_memory row = {
		.pid = pid_number(w, shm, F(shmid_kernel, shm_lprid)),
		.creator_pid = pid_number(w, shm, F(shmid_kernel, shm_cprid)),
		.atime = col_int(w, shm, F(shmid_kernel, shm_atim)),
		.dtime = col_int(w, shm, F(shmid_kernel, shm_dtim)),
		.ctime = col_int(w, shm, F(shmid_kernel, shm_ctim)),
		.size = col_int(w, shm, F(shmid_kernel, shm_segsz)),
		.attached = col_int(w, shm, F(shmid_kernel, shm_nattch)),
		.inode = col_int(w, k_or0(w->k, file, F(file, f_inode)), F(inode, i_ino)),
		.segment_addr = some_addr(shm),
	};
	struct opt_int inum = col_int(w, s->ns, F(ipc_namespace, ns_inum));

	fill_owner(w, &row, perm);
	if (inum.set)
		row.ipc_namespace = row_printf(w, "%" PRId64, inum.v);
	WALK_EMIT(w, shared_memory, &row);
}

static bool visit_segment(void *arg, uint64_t index, uint64_t perm)
{
	struct segments *s = arg;
	struct kernel *k = s->w->k;
	uint64_t id;

	(void)index;
	if ((perm & 3) || !k_plausible(k, perm) || !k_get(k, perm, F(kern_ipc_perm, id), &id))
		walk_problem(s->w, WARNING, TABLE_shared_memory, 0, perm,
			     "a segment of shared memory is nowhere");
	else if (!k_or0(k, perm, F(kern_ipc_perm, deleted)))
		emit_segment(s, perm);
	return !walk_is_full(s->w, TABLE_shared_memory);
}

static void walk_namespace(struct segments *s, uint64_t ns)
{
	struct walk *w = s->w;
	uint64_t ids = k_field_va(w->k, ns, F(ipc_namespace, ids)) +
		       (uint64_t)IPC_SHM_IDS * w->k->field[F(ipc_namespace, ids)].elem_size;

	s->ns = ns;
	enum iter_end end = xa_each(w->k, k_field_va(w->k, ids, F(ipc_ids, ipcs_idr)), &s->nodes,
				    visit_segment, s);

	walk_check_end(w, TABLE_shared_memory, 0, ns, end, "the shared memory of a namespace");
}

static void run(struct walk *w)
{
	struct segments s = {.w = w, .nodes = MAX_NODES};
	struct u64map seen = {0};
	const struct task *t;

	vec_foreach (t, &w->tasks->all) {
		uint64_t ns = k_or0(w->k, t->nsproxy, F(nsproxy, ipc_ns));
		if (ns && !walk_is_full(w, TABLE_shared_memory) && seen.n < MAX_NAMESPACES &&
		    u64map_add(&seen, ns, 0))
			walk_namespace(&s, ns);
	}
	u64map_fini(&seen);
}

const struct extractor walk_shared_memory = {
	.name = "shared_memory",
	.tables = {TABLE_shared_memory},
	.n_tables = 1,
	.needs = {F(nsproxy, ipc_ns), F(ipc_namespace, ids), F(ipc_ids, ipcs_idr),
		  F(shmid_kernel, shm_perm), F(kern_ipc_perm, id)},
	.n_needs = 5,
	.run = run,
};
