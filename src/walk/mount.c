// SPDX-License-Identifier: LGPL-2.1-or-later
// Mounts of every mount namespace, as fs/proc_namespace.c prints /proc/PID/mountinfo.
#include "src/walk/mount.h"

#include "src/base/u64map.h"
#include "src/base/vec.h"
#include "src/walk/mount_space.h"
#include "src/walk/path.h"
#include "src/walk/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAMESPACES = 1 << 16, MAX_TEXT = 4096 };
enum { MAGIC_NSFS = 0x6e736673, MAGIC_TMPFS = 0x01021994 }; // include/uapi/linux/magic.h
enum { BOGO_INODE_SIZE = 1024 };			    // mm/shmem.c
enum {
	MNT_READONLY = 0x40,
	MNT_CURSOR = 0x10000000, // a reader of mountinfo, not a mount: 5.8 to 6.7
};

// Mount namespaces found so far; those that mounts lead to are added while they are walked.
struct spaces {
	struct walk *w;
	uint64_t ns; // under way
	VEC(uint64_t) all;
	struct u64map seen;
	struct u64map mounts; // of all namespaces: a mount is in one of them, once
};

static void add_space(const struct walk *w, struct spaces *s, uint64_t ns)
{
	if (k_plausible(w->k, ns) && s->all.n < MAX_NAMESPACES && u64map_add(&s->seen, ns, 0))
		vec_push(&s->all, ns);
}

static void find_spaces(struct walk *w, struct spaces *s)
{
	const struct task *t;
	uint64_t first = k_or0(w->k, w->k->init_task, F(task_struct, nsproxy));

	add_space(w, s, k_or0(w->k, first, F(nsproxy, mnt_ns)));
	if (!w->tasks)
		return;
	vec_foreach (t, &w->tasks->all)
		if (t->nsproxy)
			add_space(w, s, k_or0(w->k, t->nsproxy, F(nsproxy, mnt_ns)));
}

// A namespace without a task can be held by a bind mount of its file.
static void add_bound_space(struct walk *w, struct spaces *s, uint64_t mnt_root)
{
	uint64_t inode = k_or0(w->k, mnt_root, F(dentry, d_inode));
	uint64_t ns = k_or0(w->k, inode, F(inode, i_private));
	uint64_t ops = k_or0(w->k, ns, F(ns_common, ops));
	uint64_t name = k_or0(w->k, ops, F(proc_ns_operations, name));
	char *kind = name ? k_string(w->k, &w->row, name, 16) : NULL;

	if (kind && strcmp(kind, "mnt") == 0)
		add_space(w, s, k_container(w->k, ns, F(mnt_namespace, ns)));
}

// --- columns ---

// A mount and what most columns of it need.
struct view {
	uint64_t ns, mount, mnt, mnt_root, sb, flags;
	bool nsfs;
};

struct option {
	uint64_t flag;
	const char *text;
};

static void add_option(char *text, size_t size, const char *option)
{
	size_t n = strlen(text);

	(void)snprintf(text + n, size - n, ",%s", option);
}

// is_idmapped_mnt(): 5.12 compared with the first user namespace, 5.17 with the file system's.
static bool is_idmapped(struct walk *w, const struct view *v)
{
	uint64_t none = w->k->symbol[S(nop_mnt_idmap)];
	uint64_t map = k_or0(w->k, v->mnt, F(vfsmount, mnt_idmap));
	uint64_t user_ns = k_or0(w->k, v->mnt, F(vfsmount, mnt_userns));

	if (k_has(w->k, F(vfsmount, mnt_idmap)))
		return none && map && map != none;
	return user_ns && user_ns != w->k->symbol[S(init_user_ns)] &&
	       user_ns != k_or0(w->k, v->sb, F(super_block, s_user_ns));
}

static struct opt_text mount_options(struct walk *w, const struct view *v)
{
	static const struct option options[] = {
		{0x01, "nosuid"},     {0x02, "nodev"},	  {0x04, "noexec"},	 {0x08, "noatime"},
		{0x10, "nodiratime"}, {0x20, "relatime"}, {0x80, "nosymfollow"},
	};
	char text[128];

	(void)snprintf(text, sizeof(text), "%s", v->flags & MNT_READONLY ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (v->flags & options[i].flag)
			add_option(text, sizeof(text), options[i].text);
	if (is_idmapped(w, v))
		add_option(text, sizeof(text), "idmapped");
	return row_printf(w, "%s", text);
}

// show_sb_opts(); SB_* of include/linux/fs.h.
static struct opt_text super_options(struct walk *w, const struct view *v)
{
	static const struct option options[] = {
		{1 << 4, "sync"}, {1 << 7, "dirsync"}, {1 << 6, "mand"}, {1 << 25, "lazytime"}};
	char text[64];
	uint64_t flags;

	if (!k_get(w->k, v->sb, F(super_block, s_flags), &flags))
		return (struct opt_text){0};
	(void)snprintf(text, sizeof(text), "%s", flags & 1 ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (flags & options[i].flag)
			add_option(text, sizeof(text), options[i].text);
	return row_printf(w, "%s", text);
}

static struct opt_text type_text(struct walk *w, const struct view *v)
{
	uint64_t type = k_or0(w->k, v->sb, F(super_block, s_type));
	struct opt_text name = col_string(w, type, F(file_system_type, name), 256);
	struct opt_text subtype = col_string(w, v->sb, F(super_block, s_subtype), 256);

	return name.p && subtype.p ? row_printf(w, "%s.%s", name.p, subtype.p) : name;
}

static struct opt_text device_text(struct walk *w, const struct view *v)
{
	uint64_t name;

	if (!k_get(w->k, v->mount, F(mount, mnt_devname), &name))
		return (struct opt_text){0};
	return name ? some_text(k_string(w->k, &w->row, name, MAX_TEXT)) : some_text("none");
}

// A file of nsfs has no path in it: outside of its mount (none is given) it is named by its kind.
static struct opt_text root_text(struct walk *w, const struct view *v, bool unlinked)
{
	bool ignored;

	if (v->nsfs)
		return some_text(
			path_name(w, (struct kpath){0, v->mnt_root}, (struct kpath){0}, &ignored));
	char *name = dentry_name(w, v->mnt_root);
	if (name && unlinked) // dentry_path(), fs/d_path.c
		name = arena_printf(&w->row, "%s//deleted", name);
	return some_text(name);
}

static void fill_places(struct walk *w, const struct view *v, struct row_mounts *row)
{
	struct kpath self = {v->mnt, v->mnt_root};
	uint64_t parent = k_or0(w->k, v->mount, F(mount, mnt_parent)), dev;
	bool unlinked;

	row->path = some_text(path_name(w, self, (struct kpath){0}, &unlinked));
	row->root = root_text(w, v, unlinked);
	row->mount_id = col_int(w, v->mount, F(mount, mnt_id));
	row->parent_id = col_int(w, parent, F(mount, mnt_id));
	if (k_get(w->k, v->sb, F(super_block, s_dev), &dev))
		row->device_number = col_device(w, dev);
}

// --- how full it is ---

// shmem_statfs(), mm/shmem.c.
static void fill_tmpfs(struct walk *w, const struct view *v, struct row_mounts *row)
{
	uint64_t info = k_or0(w->k, v->sb, F(super_block, s_fs_info)), space;
	int64_t used;

	row->blocks = col_int(w, info, F(shmem_sb_info, max_blocks));
	if (row->blocks.set &&
	    k_percpu_counter(w->k, k_field_va(w->k, info, F(shmem_sb_info, used_blocks)), &used)) {
		uint64_t free = (uint64_t)row->blocks.v - (uint64_t)used;
		row->blocks_free = some_int(row->blocks.v ? (int64_t)free : 0);
		row->blocks_available = row->blocks_free;
	}
	row->inodes = col_int(w, info, F(shmem_sb_info, max_inodes));
	row->inodes_free = col_int(w, info, F(shmem_sb_info, free_inodes));
	if (k_get(w->k, info, F(shmem_sb_info, free_ispace), &space))
		row->inodes_free = some_int((int64_t)(space / BOGO_INODE_SIZE));
	if (row->inodes.set && row->inodes.v == 0)
		row->inodes_free = some_int(0);
}

// simple_statfs(), fs/libfs.c: proc, devpts and the like have pages for blocks, and no number of
// them.
static void fill_simple(const struct walk *w, struct row_mounts *row)
{
	row->blocks_size = some_int(INT64_C(1) << w->k->page_shift);
	row->blocks = some_int(0);
	row->blocks_free = some_int(0);
	row->blocks_available = some_int(0);
	row->inodes = some_int(0);
	row->inodes_free = some_int(0);
}

// What statfs() tells where the kernel at large knows it; other file systems have their own ways.
static void fill_sizes(struct walk *w, const struct view *v, struct row_mounts *row)
{
	uint64_t ops = k_or0(w->k, v->sb, F(super_block, s_op));
	uint64_t statfs = k_or0(w->k, ops, F(super_operations, statfs));

	row->blocks_size = col_int(w, v->sb, F(super_block, s_blocksize));
	if (k_or0(w->k, v->sb, F(super_block, s_magic)) == MAGIC_TMPFS)
		fill_tmpfs(w, v, row);
	else if (statfs && (statfs == w->k->symbol[S(simple_statfs)] ||
			    statfs == w->k->symbol[S(kernfs_statfs)]))
		fill_simple(w, row);
}

// --- rows ---

static void emit_mount(struct walk *w, const struct view *v)
{
	uint64_t inum;
	struct row_mounts row = {
		.device = device_text(w, v),
		.type = type_text(w, v),
		.flags = mount_options(w, v),
		.super_options = super_options(w, v),
		.mount_addr = col_ptr(v->mount),
	};

	row.device_alias = row.device;
	if (k_get(w->k, v->ns, F(mnt_namespace, ns_inum), &inum))
		row.mount_namespace = row_printf(w, "%" PRIu64, inum);
	fill_places(w, v, &row);
	fill_sizes(w, v, &row);
	WALK_EMIT(w, mounts, &row);
}

// False if the mount was there before: a tree that leads back into itself.
static bool visit_mount(void *arg, uint64_t mount)
{
	struct spaces *s = arg;
	struct walk *w = s->w;
	uint64_t mnt = k_field_va(w->k, mount, F(mount, mnt));
	struct view v = {
		.ns = s->ns,
		.mount = mount,
		.mnt = mnt,
		.mnt_root = k_or0(w->k, mnt, F(vfsmount, mnt_root)),
		.sb = k_or0(w->k, mnt, F(vfsmount, mnt_sb)),
		.flags = k_or0(w->k, mnt, F(vfsmount, mnt_flags)),
	};

	if (!u64map_add(&s->mounts, mount, 0))
		return false;
	if (!v.sb || v.flags & MNT_CURSOR)
		return true;
	v.nsfs = k_or0(w->k, v.sb, F(super_block, s_magic)) == MAGIC_NSFS;
	if (v.nsfs)
		add_bound_space(w, s, v.mnt_root);
	emit_mount(w, &v);
	return true;
}

static void run(struct walk *w)
{
	struct spaces s = {.w = w};

	find_spaces(w, &s);
	for (size_t i = 0; i < s.all.n; i++) {
		s.ns = s.all.at[i];
		enum iter_end end = mount_space_each(w, s.ns, visit_mount, &s);
		walk_check_end(w, TABLE_mounts, 0, s.ns, end == ITER_MORE ? ITER_CYCLE : end,
			       "the mounts of a namespace");
	}
	if (s.all.n == 0)
		walk_problem(w, ERROR, TABLE_mounts, 0, 0, "no task leads to a mount namespace");
	u64map_fini(&s.seen);
	u64map_fini(&s.mounts);
	vec_fini(&s.all);
}

const struct extractor walk_mounts = {
	.name = "mounts",
	.tables = {TABLE_mounts},
	.n_tables = 1,
	.needs = {F(nsproxy, mnt_ns), F(mount, mnt), F(vfsmount, mnt_root), F(vfsmount, mnt_sb)},
	.n_needs = 4,
	.run = run,
};
