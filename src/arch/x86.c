// SPDX-License-Identifier: LGPL-2.1-or-later
// Page tables of x86: four or five levels, PAE's three, and the two without PAE.
//
// The PROT_NONE encoding (present bit clear, bit 8 set, frame number inverted where entries have 64
// bits) is Linux's: arch/x86/include/asm/pgtable-invert.h and pgtable-2level.h.
#include "src/arch/paging.h"

enum {
	PTE_PRESENT = 1 << 0,
	PTE_WRITE = 1 << 1,
	PTE_USER = 1 << 2,
	PTE_ACCESSED = 1 << 5,
	PTE_DIRTY = 1 << 6,
	PTE_LARGE = 1 << 7,
	PTE_PROT_NONE = 1 << 8,
};
#define PTE_NX	   (1ULL << 63)
#define PTE_ADDR   0x000ffffffffff000ULL
#define PTE_ADDR32 0xfffff000ULL

const char *arch_name(enum arch a)
{
	return a == ARCH_ARM64 ? "aarch64" : a == ARCH_X86 ? "i686" : "x86_64";
}

static uint64_t below(const struct paging *p, unsigned level)
{
	return (1ULL << paging_shift(p, level)) - 1;
}

static void set_rights(struct as_entry *e, uint64_t raw)
{
	e->writable = raw & PTE_WRITE;
	e->executable = !(raw & PTE_NX);
	e->user = raw & PTE_USER;
	e->dirty = raw & PTE_DIRTY;
	e->accessed = raw & PTE_ACCESSED;
}

// largest: the highest level whose entries may map pages themselves.
static struct as_entry entry_of_64_bits(const struct paging *p, uint64_t raw, unsigned level,
					unsigned largest)
{
	struct as_entry e = {.kind = ENTRY_NONE};
	bool leaf = level == 1 || (level <= largest && (raw & PTE_LARGE));

	if (raw & PTE_PRESENT)
		e.kind = leaf ? ENTRY_PAGE : ENTRY_TABLE;
	else if (leaf && (raw & PTE_PROT_NONE))
		e.kind = ENTRY_PROT_NONE;
	if (e.kind == ENTRY_NONE)
		return e;
	e.pa = (e.kind == ENTRY_PROT_NONE ? ~raw : raw) & PTE_ADDR;
	if (leaf)
		e.pa &= ~below(p, level);
	set_rights(&e, raw);
	return e;
}

static struct as_entry entry_x86_64(const struct paging *p, uint64_t raw, unsigned level)
{
	return entry_of_64_bits(p, raw, level, 3);
}

struct paging paging_x86_64(unsigned levels)
{
	return (struct paging){
		.arch = ARCH_X86_64,
		.levels = (uint8_t)levels,
		.va_bits = (uint8_t)(12 + 9 * levels),
		.page_shift = 12,
		.index_bits = 9,
		.entry_size = 8,
		.root_mask = PTE_ADDR,
		.entry = entry_x86_64,
	};
}

// The four entries of the root have no rights: their bits are reserved.
static struct as_entry entry_pae(const struct paging *p, uint64_t raw, unsigned level)
{
	struct as_entry e = entry_of_64_bits(p, raw, level, 2);

	if (level == 3)
		e.writable = e.executable = e.user = true;
	return e;
}

struct paging paging_x86_pae(void)
{
	return (struct paging){
		.arch = ARCH_X86,
		.levels = 3,
		.va_bits = 32,
		.page_shift = 12,
		.index_bits = 9,
		.entry_size = 8,
		.root_mask = 0xffffffe0, // the table of four entries need not begin a page
		.entry = entry_pae,
	};
}

// 4 MiB pages have bits 32 to 39 of their address in bits 13 to 20 (PSE-36).
static uint64_t large_pa_32(uint64_t raw)
{
	return (raw & 0xffc00000) | (raw >> 13 & 0xff) << 32;
}

static struct as_entry entry_32(const struct paging *p, uint64_t raw, unsigned level)
{
	bool large = level == 2 && (raw & PTE_LARGE), leaf = level == 1 || large;
	struct as_entry e = {.kind = ENTRY_NONE};

	(void)p;
	if (raw & PTE_PRESENT)
		e.kind = leaf ? ENTRY_PAGE : ENTRY_TABLE;
	else if (leaf && (raw & PTE_PROT_NONE))
		e.kind = ENTRY_PROT_NONE;
	e.pa = large ? large_pa_32(raw) : raw & PTE_ADDR32;
	set_rights(&e, raw);
	return e;
}

struct paging paging_x86_32(void)
{
	return (struct paging){
		.arch = ARCH_X86,
		.levels = 2,
		.va_bits = 32,
		.page_shift = 12,
		.index_bits = 10,
		.entry_size = 4,
		.root_mask = PTE_ADDR32,
		.entry = entry_32,
	};
}
