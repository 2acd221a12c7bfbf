// SPDX-License-Identifier: LGPL-2.1-or-later
// Walks x86-64 page tables.
#include "src/arch/x86_64.h"

#include "src/base/bytes.h"
#include "src/base/u64map.h"

#include <string.h>

enum {
	PTE_PRESENT = 1 << 0,
	PTE_WRITE = 1 << 1,
	PTE_USER = 1 << 2,
	PTE_ACCESSED = 1 << 5,
	PTE_DIRTY = 1 << 6,
	PTE_LARGE = 1 << 7,
	PTE_PROT_NONE = 1 << 8,
};
#define PTE_NX	 (1ULL << 63)
#define PTE_ADDR 0x000ffffffffff000ULL

void aspace_init(struct aspace *as, struct physmem *mem, uint64_t root_pa, unsigned levels)
{
	as->mem = mem;
	as->root_pa = root_pa & PTE_ADDR;
	as->levels = levels;
	for (size_t i = 0; i < TLB_SLOTS; i++)
		as->tlb[i].page_va = UINT64_MAX; // not page-aligned: matches nothing
}

const char *as_fault_text(enum as_fault f)
{
	switch (f) {
	case AS_OK:
		return "ok";
	case AS_NOT_CANONICAL:
		return "not a canonical address";
	case AS_NOT_MAPPED:
		return "not mapped (swapped or never touched)";
	case AS_TABLE_ABSENT:
		return "page table not in the image";
	case AS_PAGE_ABSENT:
		return "page not in the image";
	}
	return "?";
}

static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

static bool canonical(const struct aspace *as, uint64_t va)
{
	unsigned bits = level_shift(as->levels) + 9;
	int64_t top = (int64_t)va >> (bits - 1);

	return top == 0 || top == -1;
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || ((level == 2 || level == 3) && (entry & PTE_LARGE));
}

static uint64_t leaf_pa(uint64_t entry, unsigned level)
{
	return entry & PTE_ADDR & ~((1ULL << level_shift(level)) - 1);
}

static enum as_fault walk_leaf(struct aspace *as, uint64_t va, uint64_t entry, unsigned level,
			       uint64_t *pa)
{
	uint64_t address = leaf_pa(entry, level) | (va & ((1ULL << level_shift(level)) - 1));

	return physmem_of_table(as->mem, address, pa) ? AS_OK : AS_PAGE_ABSENT;
}

static enum as_fault walk(struct aspace *as, uint64_t va, uint64_t *pa)
{
	uint64_t table = as->root_pa;

	if (!canonical(as, va))
		return AS_NOT_CANONICAL;
	for (unsigned level = as->levels; level > 0; level--) {
		uint64_t index = va >> level_shift(level) & 0x1ff;
		uint8_t raw[8];
		if (!physmem_read(as->mem, table + index * 8, raw, 8))
			return AS_TABLE_ABSENT;
		uint64_t entry = le64(raw);
		if (!(entry & PTE_PRESENT))
			return AS_NOT_MAPPED;
		if (is_leaf(entry, level))
			return walk_leaf(as, va, entry, level, pa);
		if (!physmem_of_table(as->mem, entry & PTE_ADDR, &table))
			return AS_TABLE_ABSENT;
	}
	return AS_NOT_MAPPED;
}

enum as_fault aspace_translate(struct aspace *as, uint64_t va, uint64_t *pa)
{
	uint64_t page = va >> PAGE_SHIFT, in_page = va & (PAGE_SIZE - 1);
	size_t slot = (size_t)((page ^ page >> 10) % TLB_SLOTS);

	if (as->tlb[slot].page_va == va - in_page) {
		*pa = as->tlb[slot].page_pa | in_page;
		return AS_OK;
	}
	enum as_fault f = walk(as, va, pa);
	if (f == AS_OK) {
		as->tlb[slot].page_va = va - in_page;
		as->tlb[slot].page_pa = *pa - in_page;
	}
	return f;
}

size_t aspace_read_some(struct aspace *as, uint64_t va, void *buf, size_t n, enum as_fault *why)
{
	size_t done = 0;

	*why = AS_OK;
	while (done < n) {
		uint64_t at = va + done, pa;
		size_t part = PAGE_SIZE - (size_t)(at & (PAGE_SIZE - 1));
		if (part > n - done)
			part = n - done;
		*why = aspace_translate(as, at, &pa);
		if (*why != AS_OK)
			return done;
		if (!physmem_read(as->mem, pa, (uint8_t *)buf + done, part)) {
			*why = AS_PAGE_ABSENT;
			return done;
		}
		done += part;
	}
	return done;
}

enum as_fault aspace_read(struct aspace *as, uint64_t va, void *buf, size_t n)
{
	enum as_fault why;

	(void)aspace_read_some(as, va, buf, n, &why);
	return why;
}

// --- scanning ---

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

static struct path path_down(struct path p, uint64_t entry)
{
	return (struct path){p.writable && (entry & PTE_WRITE), p.executable && !(entry & PTE_NX),
			     p.user && (entry & PTE_USER)};
}

static bool is_prot_none(uint64_t entry)
{
	return !(entry & PTE_PRESENT) && (entry & PTE_PROT_NONE);
}

// A paravirtual guest can map frames that are not its own (granted by other domains, the
// hypervisor's): those have no address in it and are left out. Entries that are not present are
// the guest kernel's own affair and hold its own frames (pte_pfn_to_mfn(), arch/x86/xen/mmu_pv.c).
static bool visit_leaf(const struct scan *s, uint64_t va, uint64_t entry, unsigned level,
		       struct path path)
{
	bool none = is_prot_none(entry);
	uint64_t pa = leaf_pa(none ? ~entry : entry, level);

	if (!none && !physmem_of_table(s->as->mem, pa, &pa))
		return true;
	struct as_page page = {
		.va = va,
		.pa = pa,
		.size = 1ULL << level_shift(level),
		.writable = path.writable && !none,
		.executable = path.executable && !none,
		.user = path.user,
		.dirty = entry & PTE_DIRTY,
		.accessed = entry & PTE_ACCESSED,
		.prot_none = none,
	};

	return s->visit(s->arg, &page);
}

static uint64_t sign_extend(const struct aspace *as, uint64_t va)
{
	unsigned unused = 64 - (level_shift(as->levels) + 9);

	return (uint64_t)((int64_t)(va << unused) >> unused);
}

// A table has one place in an address space; but for those of level 2 that hugetlbfs shares between
// mappings (huge_pmd_share(), mm/hugetlb.c).
static bool is_new(struct scan *s, uint64_t table_pa, unsigned level)
{
	return u64map_add(&s->done, table_pa, level) ||
	       (level == 2 && *u64map_get(&s->done, table_pa) == 2);
}

static bool read_table(struct scan *s, uint64_t table_pa, uint8_t raw[PAGE_SIZE])
{
	--*s->budget;
	if (!physmem_read(s->as->mem, table_pa, raw, PAGE_SIZE)) {
		s->holes = true;
		return false;
	}
	return true;
}

static bool scan_table(struct scan *s, uint64_t table_pa, uint64_t base, unsigned level,
		       struct path above);

// The table that an entry leads to, if it is the guest's.
static bool scan_below(struct scan *s, uint64_t entry, uint64_t va, unsigned level,
		       struct path path) // NOLINT(misc-no-recursion)
{
	uint64_t table_pa;

	if (physmem_of_table(s->as->mem, entry & PTE_ADDR, &table_pa))
		return scan_table(s, table_pa, va, level - 1, path);
	s->holes = true;
	return true;
}

// Depth is bounded by the number of levels. False if the scan must end.
static bool scan_table(struct scan *s, uint64_t table_pa, uint64_t base, unsigned level,
		       struct path above) // NOLINT(misc-no-recursion)
{
	uint8_t raw[PAGE_SIZE];
	uint64_t span = 1ULL << level_shift(level);

	if (!is_new(s, table_pa, level)) {
		s->cycle = true;
		return true;
	}
	if (*s->budget == 0)
		return false;
	if (!read_table(s, table_pa, raw))
		return true;
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t va = sign_extend(s->as, base + i * span), entry = le64(raw + i * 8);
		if (va > s->end - 1)
			break;
		if (va + (span - 1) < s->start)
			continue;
		if (!(entry & PTE_PRESENT) && !(is_prot_none(entry) && is_leaf(entry, level)))
			continue;
		struct path path = path_down(above, entry);
		bool more = is_leaf(entry, level) ? visit_leaf(s, va, entry, level, path)
						  : scan_below(s, entry, va, level, path);
		if (!more)
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
	bool whole = scan_table(&s, as->root_pa, 0, as->levels, (struct path){true, true, true});
	u64map_fini(&s.done);
	if (!whole)
		return *budget == 0 ? SCAN_BUDGET : SCAN_STOPPED;
	return s.cycle ? SCAN_CYCLE : s.holes ? SCAN_HOLES : SCAN_WHOLE;
}
