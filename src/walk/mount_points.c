// SPDX-License-Identifier: LGPL-2.1-or-later
// Mounts by the directories that they cover: struct mount of fs/mount.h.
#include "src/walk/mount_points.h"

#include "src/walk/mount_space.h"
#include "src/walk/tasks.h"

enum {
	MAX_STACKED = 8, // mounts on one directory, each over the one before
};

struct finder {
	struct walk *w;
	struct mount_points *points;
};

// Bind mounts and other file systems show the same directory elsewhere, with nothing on it: the
// parent tells where a mount is.
static bool add(void *arg, uint64_t mount)
{
	struct finder *f = arg;
	struct walk *w = f->w;
	struct mount_points *m = f->points;
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
		return true;
	if (!u64map_add(&m->by_dentry, on, m->all.n)) {
		uint64_t *first = u64map_get(&m->by_dentry, on);
		point.next = *first + 1;
		*first = m->all.n;
	}
	vec_push(&m->all, point);
	return true;
}

void mount_points_find(struct walk *w, struct mount_points *m)
{
	const struct task *first = tasks_first(w->tasks);
	uint64_t ns = first ? k_or0(w->k, first->nsproxy, F(nsproxy, mnt_ns)) : 0;
	struct finder f = {w, m};

	if (ns)
		(void)mount_space_each(w, ns, add,
				       &f); // the table mounts tells what is wrong there
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
