// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of an analysis, named before any of them is read.
#include "src/analyse/analyse.h"

#include "src/base/scope.h"
#include "src/symfiles/cache.h"
#include "src/symfiles/search.h"

static void read_file(void *arg, const char *path)
{
	sandbox_read(arg, path);
}

// The cache's folder is made now, since that could not be done later; unless there is nothing that
// could come into it. A child reads the files, which is told how much memory it may have.
static void need_symbols(const struct symfile_options *o, struct sandbox_needs *n)
{
	bool searches = o->folder || access(search_system_folder, F_OK) == 0;
	_cleanup_free_ char *cache = searches || o->vmlinux ? cache_folder() : NULL;

	if (!searches && !o->vmlinux && !o->system_map)
		return;
	n->forks = true;
	sandbox_read(n, o->vmlinux);
	sandbox_read(n, o->system_map);
	sandbox_read(n, o->folder);
	sandbox_read(n, search_system_folder);
	sandbox_write(n, cache);
	sandbox_read(n, "/dev/null");
	sandbox_read(n, "/proc/self/statm");
}

void analysis_needs(const struct analysis_options *o, struct sandbox_needs *n)
{
	const struct fmt_options files = {
		.vmss = o->vmss, .parts = o->parts, .n_parts = o->n_parts};

	image_files(o->image, &files, read_file, n);
	image_scratch_ready(&files);
	need_symbols(&o->symbols, n);
	n->opens = true;
}
