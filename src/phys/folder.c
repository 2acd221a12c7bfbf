// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists a folder.
#include "src/phys/folder.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

void folder_fini(struct folder *f)
{
	for (size_t i = 0; i < f->files.n; i++)
		mem_free(f->files.at[i]);
	vec_fini(&f->files);
}
