// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths through cached dentries and mounts, contents through cached pages.
#include "src/walk/cached_file.h"

#include "src/walk/page_cache.h"
#include "src/walk/path.h"
#include "src/walk/tasks.h"

#include <string.h>

enum {
	MAX_MOUNTS = 1 << 14,
	MAX_STACKED = 8, // mounts on one directory, each over the one before
	MAX_COMPONENT = 64,
	MAX_CONTENT = 4 << 20,
};

static uint64_t first_fs(struct walk *w)
{
	const struct task *t;

	if (!w->tasks)
		return 0;
	vec_foreach (t, &w->tasks->all)
		if (t->tid == 1)
			return t->fs;
	return 0;
}

static bool first_root(struct walk *w, struct kpath *root)
{
	return kpath_read(w, k_field_va(w->k, first_fs(w), F(fs_struct, root)), root);
}

uint64_t cached_root(struct walk *w)
{
	struct kpath root;

	return first_root(w, &root) ? root.dentry : 0;
}

// --- mounts ---

static uint64_t first_mount_space(struct walk *w)
{
	const struct task *t;

	vec_foreach (t, &w->tasks->all)
		if (t->tid == 1)
			return k_or0(w->k, t->nsproxy, F(nsproxy, mnt_ns));
	return 0;
}

// Steps to the root of a mount if it is mounted on this directory, in this mount: bind mounts and
// other file systems show the same directory elsewhere, with nothing on it.
static bool step_on(struct walk *w, uint64_t mount, struct kpath *at)
{
	uint64_t mnt = k_field_va(w->k, mount, F(mount, mnt));
	uint64_t parent = k_or0(w->k, mount, F(mount, mnt_parent));
	uint64_t root = k_or0(w->k, mnt, F(vfsmount, mnt_root));

	// the top of all mounts is its own parent
	if (!root || parent == mount || k_field_va(w->k, parent, F(mount, mnt)) != at->mnt ||
	    k_or0(w->k, mount, F(mount, mnt_mountpoint)) != at->dentry)
		return false;
	*at = (struct kpath){mnt, root};
	return true;
}

static bool step_in_tree(struct walk *w, uint64_t ns, struct kpath *at)
{
	struct rb_iter it;
	uint64_t node;

	rb_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, mounts_root)), MAX_MOUNTS);
	while (rb_next(&it, &node))
		if (step_on(w, k_container(w->k, node, F(mount, mnt_node)), at))
			return true;
	return false;
}

static bool step_in_list(struct walk *w, uint64_t ns, struct kpath *at)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, list)), MAX_MOUNTS);
	while (list_next(&it, &node))
		if (step_on(w, k_container(w->k, node, F(mount, mnt_list)), at))
			return true;
	return false;
}

// From a directory to the root of the topmost of what is mounted on it.
static void cross_mounts(struct walk *w, struct kpath *at)
{
	bool tree = k_has(w->k, F(mnt_namespace, mounts_root)) && k_has(w->k, F(mount, mnt_node));
	uint64_t ns = first_mount_space(w);
	bool more = ns && at->dentry;

	for (int i = 0; more && i < MAX_STACKED; i++)
		more = tree ? step_in_tree(w, ns, at) : step_in_list(w, ns, at);
}

uint64_t cached_inode(struct walk *w, const char *path)
{
	char name[MAX_COMPONENT + 1];
	struct kpath at;

	if (!first_root(w, &at))
		return 0;
	while (at.dentry && *path) {
		size_t n = strcspn(path, "/");
		if (n > MAX_COMPONENT)
			return 0;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '/');
		at.dentry = dentry_child(w, at.dentry, name);
		cross_mounts(w, &at);
	}
	return k_or0(w->k, at.dentry, F(dentry, d_inode));
}

// --- content ---

char *cached_content(struct walk *w, uint64_t inode, size_t *n, bool *whole)
{
	uint64_t size = 0;
	bool has_size = k_get(w->k, inode, F(inode, i_size), &size);
	uint64_t limit = size < MAX_CONTENT ? size : MAX_CONTENT;
	char *text = arena_alloc(&w->run, limit + 1);

	*n = 0;
	while (*n < limit) {
		size_t part = page_cache_page(w, inode, *n / PAGE_SIZE, text + *n);
		*n += part;
		if (part < PAGE_SIZE)
			break;
	}
	text[*n] = '\0';
	*whole = has_size && *n == size;
	return text;
}
