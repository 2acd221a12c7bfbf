// SPDX-License-Identifier: LGPL-2.1-or-later
// Page tables of arm64: granules of 4, 16 and 64 KiB, of as many levels as the addresses need.
//
// Bits of Linux's own are from arch/arm64/include/asm/pgtable-prot.h and pgtable-hwdef.h.
#include "src/arch/paging.h"

enum {
	VALID = 1 << 0,
	TABLE = 1 << 1, // on level 1: page
	AP_USER = 1 << 6,
	AP_READONLY = 1 << 7,
	ACCESSED = 1 << 10,
	NOT_GLOBAL = 1 << 11, // what is not valid: PTE_PRESENT_INVALID, since 6.11
};
#define DIRTY_MODIFIER (1ULL << 51) // PTE_WRITE: the CPU clears AP_READONLY at the first write
#define PXN	       (1ULL << 53)
#define UXN	       (1ULL << 54)
#define SW_DIRTY       (1ULL << 55) // PTE_DIRTY
#define SW_PROT_NONE   (1ULL << 58) // PTE_PROT_NONE, until 6.10
#define TABLE_PXN      (1ULL << 59)
#define TABLE_UXN      (1ULL << 60)
#define TABLE_NO_USER  (1ULL << 61)
#define TABLE_READONLY (1ULL << 62)
#define ADDR48	       0x0000fffffffff000ULL

// Addresses of 52 bits: with 64 KiB pages bits 12 to 15 are the upper four (FEAT_LPA, else 0); with
// smaller ones bits 8 and 9 are the upper two, if bits 48 and 49 are no longer reserved (FEAT_LPA2,
// on which Linux insists for virtual addresses of 52 bits; else these are the shareability).
static uint64_t address(const struct paging *p, uint64_t raw)
{
	uint64_t pa = raw & ADDR48 & ~((1ULL << p->page_shift) - 1);

	if (p->page_shift == 16)
		return pa | (raw >> 12 & 0xf) << 48;
	if (p->va_bits > 48)
		pa |= (raw >> 48 & 3) << 48 | (raw >> 8 & 3) << 50;
	return pa;
}

// Linux clears the valid bit alone of a page that nobody may touch, so that bit 1 still tells it
// from what is swapped out; that of a large page is clear anyway.
static bool is_prot_none(uint64_t raw, unsigned level)
{
	if (level == 1)
		return raw & TABLE;
	return !(raw & TABLE) && (raw & ACCESSED) && (raw & (SW_PROT_NONE | NOT_GLOBAL));
}

static enum entry_kind kind_of(const struct paging *p, uint64_t raw, unsigned level)
{
	bool can_map = level == 2 || (level == 3 && (p->page_shift == 12 || p->va_bits > 48)) ||
		       (level == 4 && p->page_shift == 12 && p->va_bits > 48);

	if (!(raw & VALID))
		return (level == 1 || can_map) && is_prot_none(raw, level) ? ENTRY_PROT_NONE
									   : ENTRY_NONE;
	if (level == 1)
		return raw & TABLE ? ENTRY_PAGE : ENTRY_NONE;
	if (raw & TABLE)
		return ENTRY_TABLE;
	return can_map ? ENTRY_PAGE : ENTRY_NONE;
}

static struct as_entry table_of(const struct paging *p, uint64_t raw)
{
	bool kernel = p->half == HALF_UPPER;

	return (struct as_entry){
		.kind = ENTRY_TABLE,
		.pa = address(p, raw),
		.writable = !(raw & TABLE_READONLY),
		.executable = !(raw & (kernel ? TABLE_PXN : TABLE_UXN)),
		.user = !(raw & TABLE_NO_USER),
	};
}

static struct as_entry entry_arm64(const struct paging *p, uint64_t raw, unsigned level)
{
	enum entry_kind kind = kind_of(p, raw, level);
	bool kernel = p->half == HALF_UPPER;

	if (kind == ENTRY_NONE)
		return (struct as_entry){.kind = ENTRY_NONE};
	if (kind == ENTRY_TABLE)
		return table_of(p, raw);
	return (struct as_entry){
		.kind = kind,
		.pa = address(p, raw) & ~((1ULL << paging_shift(p, level)) - 1),
		.writable = (raw & DIRTY_MODIFIER) || !(raw & AP_READONLY),
		.executable = !(raw & (kernel ? PXN : UXN)),
		.user = raw & AP_USER,
		.dirty = (raw & SW_DIRTY) || ((raw & DIRTY_MODIFIER) && !(raw & AP_READONLY)),
		.accessed = raw & ACCESSED,
	};
}

struct paging paging_arm64(unsigned va_bits, unsigned page_shift, enum as_half half)
{
	unsigned index_bits = page_shift - 3;

	return (struct paging){
		.arch = ARCH_ARM64,
		.half = half,
		.levels = (uint8_t)((va_bits - page_shift + index_bits - 1) / index_bits),
		.va_bits = (uint8_t)va_bits,
		.page_shift = (uint8_t)page_shift,
		.index_bits = (uint8_t)index_bits,
		.entry_size = 8,
		.root_mask = 0x000fffffffffffc0, // a small table need not begin a page
		.entry = entry_arm64,
	};
}
