// SPDX-License-Identifier: LGPL-2.1-or-later
// Translates addresses by page tables, and reads through them.
#include "src/arch/aspace.h"

#include "src/base/bytes.h"

void aspace_init(struct aspace *as, struct physmem *mem, uint64_t root_pa, struct paging paging)
{
	as->mem = mem;
	as->root_pa = root_pa & paging.root_mask;
	as->paging = paging;
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

// The bits above those that are translated say which half it is: all 0 or all 1.
static bool canonical(const struct paging *p, uint64_t va)
{
	int64_t top = (int64_t)va >> (p->va_bits - (p->half == HALF_BOTH));

	if (p->va_bits == 32)
		return va >> 32 == 0;
	return (top == 0 && p->half != HALF_UPPER) || (top == -1 && p->half != HALF_LOWER);
}

static bool read_entry(const struct aspace *as, uint64_t table, uint64_t index, uint64_t *raw)
{
	uint8_t bytes[8];
	size_t n = as->paging.entry_size;

	if (!physmem_read(as->mem, table + index * n, bytes, n))
		return false;
	*raw = n == 8 ? le64(bytes) : le32(bytes);
	return true;
}

static enum as_fault walk(struct aspace *as, uint64_t va, uint64_t *pa)
{
	const struct paging *p = &as->paging;
	uint64_t table = as->root_pa, raw;

	if (!canonical(p, va))
		return AS_NOT_CANONICAL;
	for (unsigned level = p->levels; level > 0; level--) {
		unsigned shift = paging_shift(p, level);
		uint64_t index = va >> shift & (paging_entries(p, level) - 1);
		if (!read_entry(as, table, index, &raw))
			return AS_TABLE_ABSENT;
		struct as_entry e = p->entry(p, raw, level);
		if (e.kind == ENTRY_PAGE)
			return physmem_of_table(as->mem, e.pa | (va & ((1ULL << shift) - 1)), pa)
				       ? AS_OK
				       : AS_PAGE_ABSENT;
		if (e.kind != ENTRY_TABLE)
			return AS_NOT_MAPPED;
		if (!physmem_of_table(as->mem, e.pa, &table))
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
