// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists a folder.
#include "src/phys/folder.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_version(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static void add_entry(struct folder *f, const char *path, const char *name)
{
	char *file = mem_printf("%s/%s", path, name);
	struct stat st;

	if (name[0] != '.' && stat(file, &st) == 0 && S_ISREG(st.st_mode))
		vec_push(&f->files, file);
	else
		mem_free(file);
}

struct err *folder_list(const char *path, struct folder *f)
{
	DIR *dir = opendir(path);

	*f = (struct folder){0};
	if (!dir)
		return err_errno(ERR_IO, "%s: can't be listed", path);
	for (const struct dirent *entry; (entry = readdir(dir));)
		add_entry(f, path, entry->d_name);
	(void)closedir(dir);
	if (f->files.n)
		qsort(f->files.at, f->files.n, sizeof(*f->files.at), by_version);
	return NULL;
}

// --- with what lies below ---

enum { DEPTH_MOST = 64 }; // of folders in folders

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

typedef VEC(char *) path_vec;

// What a folder holds, hidden things left out, in order.
static void list_below(const char *path, path_vec *out)
{
	DIR *dir = opendir(path);

	if (!dir)
		return;
	for (const struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.')
			vec_push(out, mem_printf("%s/%s", path, e->d_name));
	(void)closedir(dir);
	if (out->n)
		qsort(out->at, out->n, sizeof(*out->at), by_version);
}

static void walk(const char *path, const struct stat *but, int depth, struct folder *f)
{
	path_vec below = {0};
	struct stat st;

	list_below(path, &below);
	for (size_t i = 0; i < below.n; i++) {
		char *name = below.at[i];
		bool folder = lstat(name, &st) == 0 && S_ISDIR(st.st_mode);
		if (folder && depth < DEPTH_MOST && !(but && same_file(&st, but)))
			walk(name, but, depth + 1, f);
		if (!folder && stat(name, &st) == 0 && S_ISREG(st.st_mode))
			vec_push(&f->files, name);
		else
			mem_free(name);
	}
	vec_fini(&below);
}

struct err *folder_walk(const char *path, const char *but, struct folder *f)
{
	struct stat st, out;

	*f = (struct folder){0};
	if (stat(path, &st) != 0 || access(path, R_OK | X_OK) != 0)
		return err_errno(ERR_IO, "%s: can't be listed", path);
	walk(path, but && stat(but, &out) == 0 ? &out : NULL, 0, f);
	return NULL;
}

void folder_fini(struct folder *f)
{
	for (size_t i = 0; i < f->files.n; i++)
		mem_free(f->files.at[i]);
	vec_fini(&f->files);
}
