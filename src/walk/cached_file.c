// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths through cached dentries and mounts, contents through cached pages.
#include "src/walk/cached_file.h"

#include "src/walk/dentry.h"
#include "src/walk/files.h"
#include "src/walk/mount_points.h"
#include "src/walk/page_cache.h"

#include <string.h>

enum {
	MAX_COMPONENT = 64,
	MAX_CONTENT = 4 << 20,
};

uint64_t cached_root(struct walk *w)
{
	return files_reader_root(w).dentry;
}

// False if a component is too long to be one of ours.
static bool follow(struct walk *w, const struct mount_points *mounts, const char *path,
		   struct kpath *at)
{
	char name[MAX_COMPONENT + 1];

	while (at->dentry && *path) {
		size_t n = strcspn(path, "/");
		if (n > MAX_COMPONENT)
			return false;
		memcpy(name, path, n);
		name[n] = '\0';
		path += n + (path[n] == '/');
		at->dentry = dentry_child(w, at->dentry, name);
		mount_points_cross(mounts, at);
	}
	return true;
}

uint64_t cached_inode(struct walk *w, const char *path)
{
	struct mount_points mounts = {0};
	struct kpath at = files_reader_root(w);

	if (!at.dentry)
		return 0;
	mount_points_find(w, &mounts);
	bool followed = follow(w, &mounts, path, &at);
	mount_points_fini(&mounts);
	return followed ? k_or0(w->k, at.dentry, F(dentry, d_inode)) : 0;
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
