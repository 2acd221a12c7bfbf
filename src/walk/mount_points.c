// SPDX-License-Identifier: LGPL-2.1-or-later
// Mounts by the directories that they cover: struct mount of fs/mount.h.
#include "src/walk/mount_points.h"

#include "src/walk/tasks.h"

enum {
	MAX_MOUNTS = 1 << 20,
	MAX_STACKED = 8, // mounts on one directory, each over the one before
};

static uint64_t first_mount_space(struct walk *w)
{
	const struct task *t;

	if (!w->tasks)
		return 0;
	vec_foreach (t, &w->tasks->all)
		if (t->tid == 1)
			return k_or0(w->k, t->nsproxy, F(nsproxy, mnt_ns));
	return 0;
}

// Bind mounts and other file systems show the same directory elsewhere, with nothing on it: the
// parent tells where a mount is.
static void add(struct walk *w, struct mount_points *m, uint64_t mount)
{
	uint64_t mnt = k_field_va(w->k, mount, F(mount, mnt));
	uint64_t parent = k_or0(w->k, mount, F(mount, mnt_parent));
	uint64_t root = k_or0(w->k, mnt, F(vfsmount, mnt_root));
	uint64_t on = k_or0(w->k, mount, F(mount, mnt_mountpoint));
	struct mount_point point = {
		.on = {k_field_va(w->k, parent, F(mount, mnt)), on},
		.root = {mnt, root},
	};

	// the top of all mounts is its own parent
	if (!root || !on || parent == mount)
		return;
	if (!u64map_add(&m->by_dentry, on, m->all.n)) {
		uint64_t *first = u64map_get(&m->by_dentry, on);
		point.next = *first + 1;
		*first = m->all.n;
	}
	vec_push(&m->all, point);
}

// Since 6.8.
static void find_in_tree(struct walk *w, uint64_t ns, struct mount_points *m)
{
	struct rb_iter it;
	uint64_t node;

	rb_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, mounts_root)), MAX_MOUNTS);
	while (rb_next(&it, &node))
		add(w, m, k_container(w->k, node, F(mount, mnt_node)));
}

static void find_in_list(struct walk *w, uint64_t ns, struct mount_points *m)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, list)), MAX_MOUNTS);
	while (list_next(&it, &node))
		add(w, m, k_container(w->k, node, F(mount, mnt_list)));
}

void mount_points_find(struct walk *w, struct mount_points *m)
{
	uint64_t ns = first_mount_space(w);

	if (!ns)
		return;
	if (k_has(w->k, F(mnt_namespace, mounts_root)) && k_has(w->k, F(mount, mnt_node)))
		find_in_tree(w, ns, m);
	else
		find_in_list(w, ns, m);
}

void mount_points_fini(struct mount_points *m)
{
	vec_fini(&m->all);
	u64map_fini(&m->by_dentry);
}

static const struct mount_point *find(const struct mount_points *m, const struct kpath *at)
{
	const uint64_t *first = u64map_get(&m->by_dentry, at->dentry);

	for (size_t i = first ? *first + 1 : 0; i; i = m->all.at[i - 1].next)
		if (m->all.at[i - 1].on.mnt == at->mnt)
			return &m->all.at[i - 1];
	return NULL;
}

void mount_points_cross(const struct mount_points *m, struct kpath *at)
{
	const struct mount_point *point;

	for (int i = 0; i < MAX_STACKED && (point = find(m, at)); i++)
		*at = point->root;
}
