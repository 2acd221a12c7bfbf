// SPDX-License-Identifier: LGPL-2.1-or-later
// Address spaces: page tables of any of the architectures over a physical memory.
#ifndef VMI_ARCH_ASPACE_H
#define VMI_ARCH_ASPACE_H

#include "src/arch/paging.h"
#include "src/phys/physmem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLB_SLOTS = 1024 };

// One virtual address space. Storage of the caller; nothing to give up at the end.
struct aspace {
	struct physmem *mem;
	uint64_t root_pa;
	struct paging paging;
	struct {
		uint64_t page_va, page_pa;
	} tlb[TLB_SLOTS];
};

void aspace_init(struct aspace *as, struct physmem *mem, uint64_t root_pa, struct paging paging);

// Why a virtual address has no byte.
enum as_fault {
	AS_OK,
	AS_NOT_CANONICAL,
	AS_NOT_MAPPED,	 // an entry says: not present (never touched, swapped, PROT_NONE aside)
	AS_TABLE_ABSENT, // a page table is not in the image
	AS_PAGE_ABSENT,	 // mapped, but the page is not in the image
};
const char *as_fault_text(enum as_fault f);

// va's physical address through the tables.
enum as_fault aspace_translate(struct aspace *as, uint64_t va, uint64_t *pa);

// All n bytes at va, or why not (at the first byte that is missing).
enum as_fault aspace_read(struct aspace *as, uint64_t va, void *buf, size_t n);

// How many leading bytes there are, up to n; *why says what ended it.
size_t aspace_read_some(struct aspace *as, uint64_t va, void *buf, size_t n, enum as_fault *why);

// A mapped page as the tables have it.
struct as_page {
	uint64_t va, pa, size; // size: of x86-64 4 KiB, 2 MiB or 1 GiB
	bool writable, executable, user, dirty, accessed, prot_none;
};

enum scan_end {
	SCAN_WHOLE,
	SCAN_STOPPED, // by the visitor
	SCAN_BUDGET,  // more tables than were allowed
	SCAN_CYCLE,   // a table leads to one that was scanned before, which is left out there
	SCAN_HOLES,   // a table is not in the image
};
const char *scan_end_text(enum scan_end e);

// Visits the mapped pages of [start, end) in order of address. The visitor returns false to stop.
// The budget, tables to read, is counted down. What is worst of the above is the result.
enum scan_end aspace_scan(struct aspace *as, uint64_t start, uint64_t end, uint64_t *budget,
			  bool (*visit)(void *arg, const struct as_page *page), void *arg);

#endif
