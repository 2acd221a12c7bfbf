// SPDX-License-Identifier: LGPL-2.1-or-later
// What differs from one architecture to the next, apart from page tables: widths, where kernel
// addresses lie, whose address space is whose.
#include "src/kernel/kernel.h"

#include "symbols/vmcoreinfo.h"

#define ERR_PTRS 4096 // the last addresses are error numbers: include/linux/err.h

// pt_regs is in every kernel, and names registers.
static enum arch arch_of(const struct kernel *k)
{
	if (k_has(k, F(pt_regs, pstate)))
		return ARCH_ARM64;
	return k->field[F(pt_regs, orig_ax)].size == 4 ? ARCH_X86 : ARCH_X86_64;
}

void kernel_set_arch(struct kernel *k, enum arch arch)
{
	bool wide = arch != ARCH_X86;

	k->arch = arch;
	k->word = wide ? 8 : 4;
	k->page_shift = PAGE_SHIFT;
	k->va_mask = wide ? UINT64_MAX : UINT32_MAX;
	// VMSPLIT of 32 bits: the kernel has at least the last GiB, and at most three of them
	k->lowest_va = wide ? 1ULL << 63 : 1ULL << 30;
	k->highest_va = k->va_mask - ERR_PTRS + 1;
}

void kernel_find_arch(struct kernel *k)
{
	kernel_set_arch(k, arch_of(k));
}

uint64_t k_user_end(const struct kernel *k)
{
	const struct paging *p = &k->as.paging;

	if (k->arch == ARCH_X86)
		return k->page_offset; // TASK_SIZE
	return 1ULL << (p->va_bits - (p->half == HALF_BOTH));
}

bool k_user_space(struct kernel *k, uint64_t mm, struct aspace *as)
{
	struct paging p = k->as.paging;
	uint64_t pgd = k_or0(k, mm, F(mm_struct, pgd)), root;

	if (!pgd || aspace_translate(&k->as, pgd, &root) != AS_OK)
		return false;
	if (p.half == HALF_UPPER)
		p.half = HALF_LOWER;
	aspace_init(as, k->mem, root, p);
	return true;
}

// --- struct page ---

// Where an array of struct page begins, and which physical address its first one stands for.
struct page_array {
	uint64_t va, pa;
};

// arm64: include/asm/memory.h; both numbers are in VMCOREINFO alone, the first since 6.0.
static bool arm64_pages(const struct kernel *k, struct page_array *a)
{
	int64_t start, offset;

	if (!k->vmcoreinfo || !vmcoreinfo_number(k->vmcoreinfo, "VMEMMAP_START", &start) ||
	    !vmcoreinfo_number(k->vmcoreinfo, "PHYS_OFFSET", &offset))
		return false;
	*a = (struct page_array){(uint64_t)start, (uint64_t)offset};
	return true;
}

// page_to_pfn() with SPARSEMEM_VMEMMAP or FLATMEM, include/asm-generic/memory_model.h.
static bool find_pages(struct kernel *k, struct page_array *a)
{
	enum symbol variable = k->arch == ARCH_X86 ? S(mem_map) : S(vmemmap_base);

	*a = (struct page_array){0};
	if (k->arch == ARCH_ARM64)
		return arm64_pages(k, a);
	return k_variable(k, variable, k->word, &a->va);
}

bool k_page_pa(struct kernel *k, uint64_t page, uint64_t *pa)
{
	uint64_t size = k_sizeof(k, "page");
	struct page_array a;

	if (!size || !find_pages(k, &a) || page < a.va)
		return false;
	*pa = a.pa + ((page - a.va) / size << k->page_shift);
	return true;
}
