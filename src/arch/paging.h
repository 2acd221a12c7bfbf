// SPDX-License-Identifier: LGPL-2.1-or-later
// What page tables look like: how many levels, how an entry reads. One file an architecture, each
// of which fills a struct paging; aspace.c and scan.c walk by it.
#ifndef VMI_ARCH_PAGING_H
#define VMI_ARCH_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum arch { ARCH_X86_64, ARCH_X86, ARCH_ARM64 };
// As uname -m has it: "x86_64", "i686", "aarch64".
const char *arch_name(enum arch a);

enum entry_kind {
	ENTRY_NONE,	 // nothing there: never touched, swapped out
	ENTRY_TABLE,	 // leads to a table of the level below
	ENTRY_PAGE,	 // maps a page
	ENTRY_PROT_NONE, // names a page that nobody may touch (PROT_NONE); the CPU sees nothing
			 // there
};

// What an entry says. Of a table the rights are those that it leaves to what is below.
struct as_entry {
	enum entry_kind kind;
	bool writable, executable, user, dirty, accessed;
	uint64_t pa;
};

// Which addresses a root maps: x86 has one for all, arm64 one for the lower half (TTBR0, of a
// process) and one for the upper (TTBR1, the kernel's).
enum as_half { HALF_BOTH, HALF_LOWER, HALF_UPPER };

struct paging {
	enum arch arch;
	enum as_half half;
	uint8_t levels;	    // counted from the page's, 1, to the root's
	uint8_t va_bits;    // of a virtual address that are translated
	uint8_t page_shift; // of the smallest page
	uint8_t index_bits; // of an address that a table resolves; the root may have fewer
	uint8_t entry_size; // bytes
	uint64_t root_mask; // of a register or pointer with the root's address: the address
	// Level 1 is that of the smallest pages.
	struct as_entry (*entry)(const struct paging *p, uint64_t raw, unsigned level);
};

// Intel SDM volume 3, chapter 4.
struct paging paging_x86_64(unsigned levels); // 4 or 5
struct paging paging_x86_pae(void);
struct paging paging_x86_32(void); // without PAE: two levels of 4-byte entries

// Arm ARM (DDI 0487) chapter D8. va_bits: 36 to 52, page_shift: 12, 14 or 16.
struct paging paging_arm64(unsigned va_bits, unsigned page_shift, enum as_half half);

// How many address bits the levels below this one resolve.
static inline unsigned paging_shift(const struct paging *p, unsigned level)
{
	return p->page_shift + p->index_bits * (level - 1U);
}

// Entries of a table of this level.
static inline uint64_t paging_entries(const struct paging *p, unsigned level)
{
	unsigned bits = level == p->levels ? p->va_bits - paging_shift(p, level) : p->index_bits;

	return 1ULL << bits;
}

#endif
