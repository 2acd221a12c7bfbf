// SPDX-License-Identifier: LGPL-2.1-or-later
// A tree since 6.8, before that a list.
#include "src/walk/mount_space.h"

enum { MAX_MOUNTS = 1 << 20 };

static enum iter_end each_of_tree(struct walk *w, uint64_t ns, bool (*visit)(void *, uint64_t),
				  void *arg)
{
	struct rb_iter it;
	uint64_t node;

	rb_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, mounts_root)), MAX_MOUNTS);
	while (rb_next(&it, &node))
		if (!visit(arg, k_container(w->k, node, F(mount, mnt_node))))
			return ITER_MORE;
	return it.end;
}

static enum iter_end each_of_list(struct walk *w, uint64_t ns, bool (*visit)(void *, uint64_t),
				  void *arg)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, k_field_va(w->k, ns, F(mnt_namespace, list)), MAX_MOUNTS);
	while (list_next(&it, &node))
		if (!visit(arg, k_container(w->k, node, F(mount, mnt_list))))
			return ITER_MORE;
	return it.end;
}

enum iter_end mount_space_each(struct walk *w, uint64_t ns, bool (*visit)(void *, uint64_t),
			       void *arg)
{
	bool tree = k_has(w->k, F(mnt_namespace, mounts_root)) && k_has(w->k, F(mount, mnt_node));

	return tree ? each_of_tree(w, ns, visit, arg) : each_of_list(w, ns, visit, arg);
}
