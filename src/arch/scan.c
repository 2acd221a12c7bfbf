// SPDX-License-Identifier: LGPL-2.1-or-later
// Visits every mapped page of a range, table by table.
#include "src/arch/aspace.h"

#include "src/base/bytes.h"
#include "src/base/u64map.h"

struct scan {
	struct aspace *as;
	uint64_t start, end; // the asked range
	uint64_t *budget;
	bool (*visit)(void *arg, const struct as_page *page);
	void *arg;
	struct u64map done; // tables that were read
	bool cycle, holes;
};

const char *scan_end_text(enum scan_end e)
{
	switch (e) {
	case SCAN_WHOLE:
		return "complete";
	case SCAN_STOPPED:
		return "stopped";
	case SCAN_BUDGET:
		return "more page tables than memory can hold";
	case SCAN_CYCLE:
		return "page tables that lead to themselves";
	case SCAN_HOLES:
		return "a page table that is not in the image";
	}
	return "?";
}

// What the tables above allow: a permission holds only if every level grants it.
struct path {
	bool writable, executable, user;
};

static struct path path_down(struct path p, const struct as_entry *e)
{
	return (struct path){p.writable && e->writable, p.executable && e->executable,
			     p.user && e->user};
}

// A paravirtual guest can map frames that are not its own (granted by other domains, the
// hypervisor's): those have no address in it and are left out. Entries that are not present are
// the guest kernel's own affair and hold its own frames (pte_pfn_to_mfn(), arch/x86/xen/mmu_pv.c).
static bool visit_leaf(const struct scan *s, uint64_t va, const struct as_entry *e, unsigned level,
		       struct path path)
{
	bool none = e->kind == ENTRY_PROT_NONE;
	uint64_t pa = e->pa;

	if (!none && !physmem_of_table(s->as->mem, pa, &pa))
		return true;
	struct as_page page = {
		.va = va,
		.pa = pa,
		.size = 1ULL << paging_shift(&s->as->paging, level),
		.writable = path.writable && !none,
		.executable = path.executable && !none,
		.user = path.user,
		.dirty = e->dirty,
		.accessed = e->accessed,
		.prot_none = none,
	};

	return s->visit(s->arg, &page);
}

// The bits above those that are translated.
static uint64_t extend(const struct paging *p, uint64_t va)
{
	unsigned unused = 64U - p->va_bits;

	if (p->half == HALF_UPPER)
		return va | ~0ULL << p->va_bits;
	if (p->half == HALF_LOWER || p->va_bits == 32)
		return va;
	return (uint64_t)((int64_t)(va << unused) >> unused);
}

// A table has one place in an address space; but for those of level 2 that hugetlbfs shares between
// mappings (huge_pmd_share(), mm/hugetlb.c).
static bool is_new(struct scan *s, uint64_t table_pa, unsigned level)
{
	return u64map_add(&s->done, table_pa, level) ||
	       (level == 2 && *u64map_get(&s->done, table_pa) == 2);
}

// A table under way.
struct table {
	uint64_t pa, base; // base: the first address that it maps
	unsigned level;
	struct path above;
};

static bool scan_table(struct scan *s, const struct table *t);

// What an entry leads to. False if the scan must end.
static bool scan_entry(struct scan *s, const struct table *t, uint64_t va,
		       uint64_t raw) // NOLINT(misc-no-recursion)
{
	const struct paging *p = &s->as->paging;
	struct as_entry e = p->entry(p, raw, t->level);
	struct path path = path_down(t->above, &e);
	struct table below = {.base = va, .level = t->level - 1, .above = path};

	if (e.kind == ENTRY_NONE)
		return true;
	if (e.kind != ENTRY_TABLE)
		return visit_leaf(s, va, &e, t->level, path);
	if (physmem_of_table(s->as->mem, e.pa, &below.pa))
		return scan_table(s, &below);
	s->holes = true;
	return true;
}

// Entries [first, first + n) of a table, of which raw has the bytes.
static bool scan_part(struct scan *s, const struct table *t, const uint8_t *raw, uint64_t first,
		      uint64_t n) // NOLINT(misc-no-recursion)
{
	const struct paging *p = &s->as->paging;
	uint64_t span = 1ULL << paging_shift(p, t->level);

	for (uint64_t i = 0; i < n; i++) {
		const uint8_t *at = raw + i * p->entry_size;
		uint64_t entry = p->entry_size == 8 ? le64(at) : le32(at);
		uint64_t va = extend(p, t->base + (first + i) * span);
		if (!entry || va + (span - 1) < s->start || va > s->end - 1)
			continue;
		if (!scan_entry(s, t, va, entry))
			return false;
	}
	return true;
}

// Depth is bounded by the number of levels. False if the scan must end. Tables of arm64 can be
// larger than what is read at once.
static bool scan_table(struct scan *s, const struct table *t) // NOLINT(misc-no-recursion)
{
	const struct paging *p = &s->as->paging;
	uint64_t entries = paging_entries(p, t->level), step = PAGE_SIZE / p->entry_size;
	uint8_t raw[PAGE_SIZE];

	if (!is_new(s, t->pa, t->level)) {
		s->cycle = true;
		return true;
	}
	if (*s->budget == 0)
		return false;
	--*s->budget;
	for (uint64_t first = 0; first < entries; first += step) {
		uint64_t n = entries - first < step ? entries - first : step;
		size_t bytes = (size_t)n * p->entry_size;
		if (!physmem_read(s->as->mem, t->pa + first * p->entry_size, raw, bytes))
			s->holes = true;
		else if (!scan_part(s, t, raw, first, n))
			return false;
	}
	return true;
}

enum scan_end
aspace_scan(struct aspace *as, uint64_t start, uint64_t end,
	    uint64_t *budget, // NOLINT(readability-non-const-parameter): it is counted
	    bool (*visit)(void *, const struct as_page *), void *arg)
{
	struct scan s = {as, start, end, budget, visit, arg, {0}, false, false};

	if (end <= start)
		return SCAN_WHOLE;
	struct table root = {as->root_pa, 0, as->paging.levels, {true, true, true}};
	bool whole = scan_table(&s, &root);
	u64map_fini(&s.done);
	if (!whole)
		return *budget == 0 ? SCAN_BUDGET : SCAN_STOPPED;
	return s.cycle ? SCAN_CYCLE : s.holes ? SCAN_HOLES : SCAN_WHOLE;
}
