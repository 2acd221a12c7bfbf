// SPDX-License-Identifier: LGPL-2.1-or-later
// process_page_map: the present pages of each process, as runs.
#include "src/walk/tasks.h"
#include "src/walk/vma.h"

#include <inttypes.h>

enum { SPARE_TABLES = 1 << 16 };

struct context {
	struct walk *w;
	uint64_t budget; // page tables that may still be read, of all processes together
	const struct task *task;
	struct as_page run; // pages joined so far; size is one page's
	uint64_t run_bytes; // 0: none yet
};

static bool same_kind(const struct as_page *a, const struct as_page *b)
{
	return a->size == b->size && a->writable == b->writable && a->executable == b->executable &&
	       a->dirty == b->dirty && a->accessed == b->accessed && a->prot_none == b->prot_none;
}

static void flush_run(struct context *c)
{
	const struct as_page *r = &c->run;
	struct walk *w = c->w;

	if (!c->run_bytes)
		return;
	struct row_process_page_map row = {
		.pid = task_pid(c->task),
		.start_va = some_addr(r->va),
		.end_va = some_addr(r->va + c->run_bytes),
		.start_pa = some_addr(r->pa),
		.page_size = some_int((int64_t)r->size),
		.permissions = some_text(r->prot_none	 ? "---"
					 : r->writable	 ? (r->executable ? "rwx" : "rw-")
					 : r->executable ? "r-x"
							 : "r--"),
		.dirty = some_int(r->dirty),
		.accessed = some_int(r->accessed),
		.task_addr = some_addr(c->task->addr),
	};
	WALK_EMIT(w, process_page_map, &row);
	c->run_bytes = 0;
}

static bool goes_on(const struct context *c)
{
	return !c->w->sink->failed && !walk_is_full(c->w, TABLE_process_page_map);
}

static bool visit_page(void *arg, const struct as_page *p)
{
	struct context *c = arg;

	if (c->run_bytes && same_kind(&c->run, p) && c->run.va + c->run_bytes == p->va &&
	    c->run.pa + c->run_bytes == p->pa) {
		c->run_bytes += p->size;
		return goes_on(c);
	}
	flush_run(c);
	c->run = *p;
	c->run_bytes = p->size;
	return goes_on(c);
}

static void pages_of(struct context *c)
{
	struct walk *w = c->w;
	struct aspace as;

	if (!k_user_space(w->k, c->task->mm, &as)) {
		walk_problem(w, ERROR, TABLE_process_page_map, c->task->addr, c->task->mm,
			     "the page tables of process %" PRId64 " can't be read", c->task->pid);
		return;
	}
	enum scan_end end = aspace_scan(&as, 0, k_user_end(w->k), &c->budget, visit_page, c);
	flush_run(c);
	if (end != SCAN_WHOLE && end != SCAN_STOPPED)
		walk_problem(w, ERROR, TABLE_process_page_map, c->task->addr, c->task->mm,
			     "the pages of process %" PRId64 ": %s; what lies below is left out",
			     c->task->pid, scan_end_text(end));
}

static void run(struct walk *w)
{
	// a page table is a page; processes can share an address space, but few do
	struct context c = {.w = w, .budget = 2 * w->ram_pages + SPARE_TABLES};

	for (size_t i = 0; goes_on(&c) && c.budget && (c.task = task_next_leader(w->tasks, &i));)
		if (c.task->mm && !task_is_kthread(c.task))
			pages_of(&c);
}

const struct extractor walk_page_map = {
	.name = "page_map",
	.tables = {TABLE_process_page_map},
	.n_tables = 1,
	.needs = {F(mm_struct, pgd)},
	.n_needs = 1,
	.run = run,
};
