// SPDX-License-Identifier: LGPL-2.1-or-later
// What counts pages: an mm its page tables, a page cache its pages.
#include "src/check/atomicity.h"

#include "src/base/bytes.h"
#include "src/kernel/iter.h"

#include <inttypes.h>

enum {
	MAX_TABLE = 1 << 16, // bytes
	READS_A_TABLE = 8,   // that a read of one is worth
	TOP_COUNTED = 3,     // tables of PTEs, PMDs and PUDs are counted
};

// --- page tables ---

struct tables {
	struct atomicity *a;
	struct aspace as;
	uint64_t n;
	uint64_t spare; // entries below which a table may be kept without being used
	bool unread;
};

// The lower half of the root is the process's, where both halves have one.
static uint64_t entries_of(const struct paging *p, unsigned level)
{
	uint64_t n = paging_entries(p, level);

	return level == p->levels && p->half == HALF_BOTH ? n / 2 : n;
}

// Tables of 8-byte entries below this one, which is of level 2 or more.
static void count_below(struct tables *t, uint64_t pa, unsigned level)
{
	const struct paging *p = &t->as.paging;
	uint8_t table[MAX_TABLE];
	uint64_t n = entries_of(p, level);

	if (t->a->budget < READS_A_TABLE || n * 8 > sizeof(table) ||
	    !physmem_read(t->as.mem, pa, table, n * 8)) {
		t->unread = true;
		return;
	}
	t->a->budget -= READS_A_TABLE;
	for (uint64_t i = 0; i < n && !t->unread; i++) {
		uint64_t raw = le64(table + i * 8);
		struct as_entry e = p->entry(p, raw, level);
		if (e.kind != ENTRY_TABLE) {
			t->spare += level == 2 && raw != 0;
			continue;
		}
		t->n += level - 1 <= TOP_COUNTED;
		if (level > 2)
			count_below(t, e.pa, level - 1);
	}
}

// mm_inc_nr_ptes() and its like; a huge page has a table put by (pgtable_trans_huge_deposit()).
static void check_tables(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_page_tables, .task = t};
	struct tables tables = {.a = a};
	uint64_t bytes;

	v.lock = k_spinlock(k, k_field_va(k, t->mm, F(mm_struct, page_table_lock)));
	if (!k_get(k, t->mm, F(mm_struct, pgtables_bytes), &bytes) ||
	    !k_user_space(k, t->mm, &tables.as) || tables.as.paging.entry_size != 8 ||
	    k->arch == ARCH_X86)
		tables.unread = true;
	else
		count_below(&tables, tables.as.root_pa, tables.as.paging.levels);
	uint64_t counted = tables.unread ? 0 : bytes >> k->page_shift;
	if (tables.unread)
		rule_unevaluable(a, v.rule);
	else if (counted >= tables.n && counted <= tables.n + tables.spare)
		rule_holds(a, v.rule);
	else
		rule_broken(a, &v, "pgtables_bytes=%" PRIu64 " tables=%" PRIu64, bytes, tables.n);
}

// --- the page cache ---

// __filemap_add_folio() changes both under the xarray's lock.
static void check_cache(struct atomicity *a, uint64_t mapping)
{
	struct kernel *k = a->w->k;
	struct violation v = {.rule = INV_page_counts};
	uint64_t counted, there;

	v.lock = k_spinlock(k, k_field_va(k, mapping, F(address_space, i_pages_lock)));
	if (!k_get(k, mapping, F(address_space, nrpages), &counted) ||
	    xa_count(k, k_field_va(k, mapping, F(address_space, i_pages)), &a->budget, &there) !=
		    ITER_END)
		rule_unevaluable(a, v.rule);
	else
		rule_equal(a, &v, "nrpages", counted, "i_pages", there);
}

static void check_cache_of(struct atomicity *a, uint64_t inode)
{
	uint64_t mapping = k_or0(a->w->k, inode, F(inode, i_mapping));

	if (k_plausible(a->w->k, mapping) && a->budget && u64map_add(&a->mappings, mapping, 0)) {
		a->budget--;
		check_cache(a, mapping);
	}
}

void atomicity_of_pages(struct atomicity *a)
{
	struct u64map done = {0};
	const struct task *t;

	vec_foreach (t, &a->w->tasks->all)
		if (t->mm && !task_is_kthread(t) && u64map_add(&done, t->mm, 0))
			check_tables(a, t);
	for (size_t i = 0; i < a->files.n; i++)
		check_cache_of(a, k_or0(a->w->k, a->files.at[i], F(file, f_inode)));
	u64map_fini(&done);
}
