// SPDX-License-Identifier: LGPL-2.1-or-later
// Address spaces: who uses them, and what their mappings add up to. validate_mm() of mm/mmap.c
// asserts the same.
#include "src/check/atomicity.h"
#include "src/walk/vma.h"

#include <inttypes.h>

// struct rw_semaphore: kernel/locking/rwsem.c
enum { RWSEM_WRITER_LOCKED = 1 << 0, RWSEM_READERS = ~0xff };

struct mapping_sum {
	struct atomicity *a;
	uint64_t mm, n, pages, end;
	const char *wrong; // the first that is not as it must be
	uint64_t where;
	bool unread;
};

static bool add_mapping(void *arg, uint64_t vma)
{
	struct mapping_sum *sum = arg;
	struct kernel *k = sum->a->w->k;
	uint64_t start, end, mm;

	if (sum->a->budget == 0 || !k_get(k, vma, F(vm_area_struct, vm_start), &start) ||
	    !k_get(k, vma, F(vm_area_struct, vm_end), &end) ||
	    !k_get(k, vma, F(vm_area_struct, vm_mm), &mm)) {
		sum->unread = true;
		return false;
	}
	if (!sum->wrong && (mm != sum->mm || start < sum->end || end <= start)) {
		sum->wrong = mm != sum->mm ? "vm_mm" : "order";
		sum->where = vma;
	}
	sum->end = end;
	sum->n++;
	sum->pages += (end - start) >> k->page_shift;
	sum->a->budget--;
	return true;
}

static enum lock_state mmap_lock(struct atomicity *a, uint64_t mm, bool readers_too)
{
	uint64_t count;

	if (!k_locks_tell(a->w->k) || !k_get(a->w->k, mm, F(mm_struct, mmap_lock), &count))
		return LOCK_UNKNOWN;
	if (count & RWSEM_WRITER_LOCKED)
		return LOCK_HELD;
	return readers_too && (count & (uint64_t)RWSEM_READERS) ? LOCK_HELD : LOCK_FREE;
}

// Until 6.5 a stack grew under mmap_lock for reading and page_table_lock; munmap() accounts for
// what it has removed once it only reads.
static enum lock_state accounting_lock(struct atomicity *a, uint64_t mm)
{
	enum lock_state table =
		k_spinlock(a->w->k, k_field_va(a->w->k, mm, F(mm_struct, page_table_lock)));

	return table == LOCK_HELD ? LOCK_HELD : mmap_lock(a, mm, true);
}

static void check_mappings(struct atomicity *a, const struct task *t)
{
	struct kernel *k = a->w->k;
	struct mapping_sum sum = {.a = a, .mm = t->mm};
	struct violation v = {.rule = INV_mappings,
			      .lock = accounting_lock(a, t->mm),
			      .task = t,
			      .class = "attribute-changed"};
	enum iter_end end = vma_each(a->w, t->mm, add_mapping, &sum);
	uint64_t count, total;

	if (sum.unread)
		rule_unevaluable(a, v.rule);
	else if (sum.wrong || end != ITER_END)
		rule_broken(a, &v, "%s vma=0x%016" PRIx64, sum.wrong ? sum.wrong : "tree",
			    sum.where);
	else
		rule_holds(a, v.rule);
	if (sum.unread || end != ITER_END)
		return;
	v.rule = INV_total_vm;
	if (k_get(k, t->mm, F(mm_struct, total_vm), &total))
		rule_equal(a, &v, "total_vm", total, "mappings", sum.pages);
	v.rule = INV_map_counts;
	v.lock = mmap_lock(a, t->mm, false);
	if (k_get(k, t->mm, F(mm_struct, map_count), &count))
		rule_equal(a, &v, "map_count", count, "mappings", sum.n);
}

// mmget() comes before a task gets its mm, mmput() after it has lost it.
static void check_users(struct atomicity *a, const struct task *t, uint64_t users)
{
	struct violation v = {.rule = INV_mm_users, .task = t, .class = "attribute-changed"};
	uint64_t count;

	if (k_get(a->w->k, t->mm, F(mm_struct, mm_users), &count))
		rule_at_least(a, &v, "mm_users", count, "tasks", users);
	else
		rule_unevaluable(a, v.rule);
}

static uint64_t own_mm(struct atomicity *a, const struct task *t)
{
	// not the donor's, which a leader that died borrows
	return task_is_kthread(t) ? 0 : k_or0(a->w->k, t->addr, F(task_struct, mm));
}

void atomicity_of_memory(struct atomicity *a)
{
	struct u64map users = {0}, done = {0};
	const struct task *t;

	vec_foreach (t, &a->w->tasks->all) {
		uint64_t mm = own_mm(a, t);
		if (mm && !u64map_add(&users, mm, 1))
			++*u64map_get(&users, mm);
	}
	vec_foreach (t, &a->w->tasks->all) {
		uint64_t mm = own_mm(a, t);
		if (!mm || mm != t->mm || !u64map_add(&done, mm, 0))
			continue;
		check_users(a, t, *u64map_get(&users, mm));
		check_mappings(a, t);
	}
	u64map_fini(&users);
	u64map_fini(&done);
}
