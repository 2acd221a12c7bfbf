// SPDX-License-Identifier: LGPL-2.1-or-later
// The look at the output's name before the work.
#include "src/db/output.h"

#include "src/base/scope.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

char *output_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return slash == path ? mem_strdup("/") : mem_printf("%.*s", (int)(slash - path), path);
}

static bool is_same_file(const struct stat *a, const char *other)
{
	struct stat b;

	return stat(other, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

static struct err *check_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? mem_printf("%.*s/", (int)(slash - path), path) : NULL;

	if (access(dir ? dir : ".", W_OK | X_OK) == 0)
		return NULL;
	return err_new(ERR_OUTPUT,
		       "%s: can't create a file in %s: %s; choose another place with -o", path,
		       dir ? dir : "the current directory", strerror(errno));
}

struct err *output_check(const char *path, const char *evidence, bool force)
{
	struct stat link, st;

	if (lstat(path, &link) != 0)
		return check_directory(path);
	bool exists = stat(path, &st) == 0;
	if (exists && is_same_file(&st, evidence))
		return err_new(ERR_OUTPUT, "%s: is the image itself; name another output with -o",
			       path);
	if (exists && S_ISDIR(st.st_mode))
		return err_new(ERR_OUTPUT, "%s: is a directory; name a file in it with -o", path);
	if (exists && !S_ISREG(st.st_mode))
		return err_new(ERR_OUTPUT, "%s: is no regular file; name another output with -o",
			       path);
	if (!force)
		return err_new(
			ERR_OUTPUT,
			"%s: exists already; overwrite it with --force or name another with -o",
			path);
	return check_directory(path);
}
