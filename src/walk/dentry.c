// SPDX-License-Identifier: LGPL-2.1-or-later
// The tree of dentries: include/linux/dcache.h.
#include "src/walk/dentry.h"

#include <string.h>

enum { MAX_ENTRIES = 1 << 18 };

// Since 6.8.
static enum iter_end each_of_chain(struct walk *w, uint64_t folder, uint64_t max,
				   bool (*visit)(void *, uint64_t), void *arg)
{
	struct chain_iter it;
	uint64_t node;

	chain_begin(&it, w->k, k_or0(w->k, folder, F(dentry, d_children)), 0, max);
	while (chain_next(&it, &node))
		if (!visit(arg, k_container(w->k, node, F(dentry, d_sib))))
			return ITER_MORE;
	return it.end;
}

static enum iter_end each_of_list(struct walk *w, uint64_t folder, uint64_t max,
				  bool (*visit)(void *, uint64_t), void *arg)
{
	struct list_iter it;
	uint64_t node;

	list_begin(&it, w->k, k_field_va(w->k, folder, F(dentry, d_subdirs)), max);
	while (list_next(&it, &node))
		if (!visit(arg, k_container(w->k, node, F(dentry, d_child))))
			return ITER_MORE;
	return it.end;
}

enum iter_end dentry_each(struct walk *w, uint64_t folder, uint64_t max,
			  bool (*visit)(void *, uint64_t), void *arg)
{
	if (!folder)
		return ITER_END;
	if (k_has(w->k, F(dentry, d_children)))
		return each_of_chain(w, folder, max, visit, arg);
	return k_has(w->k, F(dentry, d_subdirs)) ? each_of_list(w, folder, max, visit, arg)
						 : ITER_END;
}

uint64_t dentry_inode(struct walk *w, uint64_t dentry)
{
	uint64_t inode = k_or0(w->k, dentry, F(dentry, d_inode));

	return inode && k_or0(w->k, dentry, F(dentry, d_hash_pprev)) ? inode : 0;
}

size_t dentry_text(struct walk *w, uint64_t dentry, char name[static MAX_DENTRY_NAME])
{
	uint64_t qstr = k_field_va(w->k, dentry, F(dentry, d_name)), len, text;

	if (!k_get(w->k, qstr, F(qstr, len), &len) || len > MAX_DENTRY_NAME ||
	    !k_get(w->k, qstr, F(qstr, name), &text) || !k_read(w->k, text, name, len))
		return 0;
	return len;
}

// --- by name ---

struct wanted {
	struct walk *w;
	const char *name;
	size_t n;
	uint64_t found;
};

static bool is_not_it(void *arg, uint64_t dentry)
{
	struct wanted *wanted = arg;
	char name[MAX_DENTRY_NAME];

	if (dentry_text(wanted->w, dentry, name) != wanted->n ||
	    memcmp(name, wanted->name, wanted->n) != 0 || !dentry_inode(wanted->w, dentry))
		return true;
	wanted->found = dentry;
	return false;
}

uint64_t dentry_child(struct walk *w, uint64_t folder, const char *name)
{
	struct wanted wanted = {w, name, strlen(name), 0};

	(void)dentry_each(w, folder, MAX_ENTRIES, is_not_it, &wanted);
	return wanted.found;
}
