// SPDX-License-Identifier: LGPL-2.1-or-later
// The path of a task's control group: the names of its kernfs nodes up to the root.
#include "src/walk/process.h"

#include <string.h>

enum { MAX_DEPTH = 256, NAME_LEN = 255 };

static uint64_t node_parent(struct walk *w, uint64_t node)
{
	return k_or0(w->k, node, F(kernfs_node, parent));
}

const char *process_cgroup(struct walk *w, uint64_t task)
{
	struct kernel *k = w->k;
	uint64_t css_set = k_or0(k, task, F(task_struct, cgroups));
	uint64_t node = k_or0(k, k_or0(k, css_set, F(css_set, dfl_cgrp)), F(cgroup, kn));
	const char *path = "";

	if (!node)
		return NULL;
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		uint64_t parent = node_parent(w, node), name = k_or0(k, node, F(kernfs_node, name));
		if (!parent)
			return *path ? path : "/";
		const char *s = name ? k_string(k, &w->row, name, NAME_LEN) : NULL;
		if (!s)
			return NULL;
		path = arena_printf(&w->row, "/%s%s", s, path);
		node = parent;
	}
	return NULL;
}
