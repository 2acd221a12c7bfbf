// SPDX-License-Identifier: LGPL-2.1-or-later
// By what stat() says, which a sandbox lets through. Devices have times of their own.
#include "src/analyse/changes.h"

void changes_watch(seen_files *seen, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		vec_push(seen, ((struct seen_file){mem_strdup(path), st}));
}

static bool is_as_it_was(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

const char *changes_find(const seen_files *seen)
{
	const struct seen_file *f;
	struct stat now;

	vec_foreach (f, seen)
		if (stat(f->path, &now) == 0 && !is_as_it_was(&f->as, &now))
			return f->path;
	return NULL;
}

void changes_fini(seen_files *seen)
{
	for (size_t i = 0; i < seen->n; i++)
		mem_free(seen->at[i].path);
	vec_fini(seen);
}
