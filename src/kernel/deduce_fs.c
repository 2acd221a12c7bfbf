// SPDX-License-Identifier: LGPL-2.1-or-later
// What the initial namespaces, the mounted file systems and the first process tell of symbols.
#include "src/kernel/deduce.h"

#include "src/kernel/iter.h"

#include <string.h>

enum { MAX_SUPER_BLOCKS = 1 << 16, MAX_MAPPINGS = 1 << 16, MAX_TASKS = 4096 };

// include/uapi/linux/magic.h
enum { PROC_MAGIC = 0x9fa0, SYSFS_MAGIC = 0x62656572, BDEVFS_MAGIC = 0x62646576 };

// The namespaces of init_task are the initial ones; a mapping of ids that lies in the image is the
// one that maps nothing (fs/mnt_idmapping.c): all others were allocated.
void deduce_namespaces(struct deduction *d)
{
	struct kernel *k = d->k;
	uint64_t nsproxy = k_or0(k, k->init_task, F(task_struct, nsproxy));
	uint64_t cred = k_or0(k, k->init_task, F(task_struct, real_cred));
	uint64_t fs = k_or0(k, k->init_task, F(task_struct, fs));
	uint64_t mnt = k_or0(k, k_field_va(k, fs, F(fs_struct, root)), F(path, mnt));
	uint64_t idmap = k_or0(k, mnt, F(vfsmount, mnt_idmap));

	deduce_set(d, S(init_uts_ns), k_or0(k, nsproxy, F(nsproxy, uts_ns)));
	deduce_set(d, S(init_user_ns), k_or0(k, cred, F(cred, user_ns)));
	if (deduce_is_image(d, idmap))
		deduce_set(d, S(nop_mnt_idmap), idmap);
	d->root_mnt = mnt;
}

// --- super blocks ---

static void see_super_block(struct deduction *d, uint64_t sb)
{
	struct kernel *k = d->k;
	uint64_t statfs = k_or0(k, k_or0(k, sb, F(super_block, s_op)), F(super_operations, statfs));

	switch (k_or0(k, sb, F(super_block, s_magic))) {
	case PROC_MAGIC: // fs/proc/inode.c
		deduce_set(d, S(simple_statfs), statfs);
		break;
	case SYSFS_MAGIC: // fs/kernfs/mount.c; simple_statfs before 5.13
		deduce_set(d, S(kernfs_statfs), statfs);
		break;
	case BDEVFS_MAGIC:
		deduce_value(d, S(blockdev_superblock), sb);
		break;
	default:
		break;
	}
}

// All super blocks are on one list, whose head has no such numbers.
void deduce_file_systems(struct deduction *d)
{
	struct kernel *k = d->k;
	uint64_t sb = k_or0(k, d->root_mnt, F(vfsmount, mnt_sb)), node;
	struct list_iter it;

	if (!sb || !k_has(k, F(super_block, s_list)))
		return;
	see_super_block(d, sb);
	list_begin(&it, k, k_field_va(k, sb, F(super_block, s_list)), MAX_SUPER_BLOCKS);
	while (list_next(&it, &node))
		see_super_block(d, k_container(k, node, F(super_block, s_list)));
}

// --- the vDSO ---

struct mapping_search {
	struct deduction *d;
	uint64_t vdso;
};

// special_mapping_vmops are the operations of the mapping in which the vDSO begins.
static bool see_mapping(void *arg, uint64_t first, uint64_t last, uint64_t vma)
{
	const struct mapping_search *s = arg;
	struct kernel *k = s->d->k;
	(void)first;
	(void)last;

	if (k_or0(k, vma, F(vm_area_struct, vm_start)) != s->vdso)
		return true;
	uint64_t special = k_or0(k, vma, F(vm_area_struct, vm_private_data));
	uint64_t name = k_or0(k, special, F(vm_special_mapping, name));
	char text[8] = "";
	if (k_read(k, name, text, 6) && strcmp(text, "[vdso]") == 0)
		deduce_set(s->d, S(special_mapping_vmops),
			   k_or0(k, vma, F(vm_area_struct, vm_ops)));
	return false;
}

static void search_mappings(struct mapping_search *s, uint64_t mm)
{
	struct kernel *k = s->d->k;
	uint64_t vma = k_or0(k, mm, F(mm_struct, mmap));

	if (k_has(k, F(mm_struct, mm_mt))) {
		(void)maple_scan(k, k_field_va(k, mm, F(mm_struct, mm_mt)), MAX_MAPPINGS,
				 see_mapping, s);
		return;
	}
	for (size_t i = 0; i < MAX_MAPPINGS && vma && see_mapping(s, 0, 0, vma); i++)
		vma = k_or0(k, vma, F(vm_area_struct, vm_next));
}

void deduce_vdso(struct deduction *d)
{
	struct kernel *k = d->k;
	struct list_iter it;
	uint64_t node;

	list_begin(&it, k, k_field_va(k, k->init_task, F(task_struct, tasks)), MAX_TASKS);
	while (!k->symbol[S(special_mapping_vmops)] && list_next(&it, &node)) {
		uint64_t task = k_container(k, node, F(task_struct, tasks));
		uint64_t mm = k_or0(k, task, F(task_struct, mm));
		struct mapping_search s = {d, k_or0(k, mm, F(mm_struct, context_vdso))};
		if (s.vdso)
			search_mappings(&s, mm);
	}
}
