// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths through cached dentries and mounts, contents through cached pages.
#include "src/walk/cached_file.h"

#include "src/walk/page_cache.h"
#include "src/walk/path.h"
#include "src/walk/tasks.h"

#include <string.h>

enum {
	MAX_MOUNTS = 1 << 14,
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

uint64_t cached_root(struct walk *w)
{
	struct kpath root;

	return kpath_read(w, k_field_va(w->k, first_fs(w), F(fs_struct, root)), &root) ? root.dentry
										       : 0;
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

// The root of what is mounted on a directory; the directory itself if nothing is.
static uint64_t root_on(struct walk *w, uint64_t mount, uint64_t dentry)
{
	uint64_t mnt = k_field_va(w->k, mount, F(mount, mnt));
	uint64_t root = k_or0(w->k, mnt, F(vfsmount, mnt_root));

	return root && root != dentry && k_or0(w->k, mount, F(mount, mnt_mountpoint)) == dentry
		       ? root
		       : 0;
}

static uint64_t mounted_in_tree(struct walk *w, uint64_t ns, uint64_t dentry)
{
	uint64_t node, root = 0;
	struct rb_iter it;

	rb_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, mounts_root)), MAX_MOUNTS);
	while (!root && rb_next(&it, &node))
		root = root_on(w, k_container(w->k, node, F(mount, mnt_node)), dentry);
	return root;
}

static uint64_t mounted_in_list(struct walk *w, uint64_t ns, uint64_t dentry)
{
	uint64_t node, root = 0;
	struct list_iter it;

	list_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, list)), MAX_MOUNTS);
	while (!root && list_next(&it, &node))
		root = root_on(w, k_container(w->k, node, F(mount, mnt_list)), dentry);
	return root;
}

static uint64_t cross_mount(struct walk *w, uint64_t dentry)
{
	uint64_t ns = first_mount_space(w), root;
	bool tree = k_has(w->k, F(mnt_namespace, mounts_root)) && k_has(w->k, F(mount, mnt_node));

	if (!dentry || !ns)
		return dentry;
	root = tree ? mounted_in_tree(w, ns, dentry) : mounted_in_list(w, ns, dentry);
	return root ? root : dentry;
}

uint64_t cached_inode(struct walk *w, const char *path)
{
	uint64_t at = cached_root(w);
	char name[MAX_COMPONENT + 1];

	while (at && *path) {
		size_t n = strcspn(path, "/");
		if (n > MAX_COMPONENT)
			return 0;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '/');
		at = cross_mount(w, dentry_child(w, at, name));
	}
	return k_or0(w->k, at, F(dentry, d_inode));
}

// --- content ---

char *cached_content(struct walk *w, uint64_t inode, size_t *n, bool *whole)
{
	uint64_t size = k_or0(w->k, inode, F(inode, i_size));
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
	*whole = *n == size;
	return text;
}
