// SPDX-License-Identifier: LGPL-2.1-or-later
// Guests of a few pages, laid out by hand: memory, page tables and a kernel whose fields are
// placed, so that a trap takes some lines and no symbols or types.
//
//	struct guest *g = guest_new(4);
//	guest_struct(g, "task_struct");
//	uint64_t task = guest_alloc(g, 4096);
//	guest_set(g, task, F(task_struct, flags), PF_EXITING);
//	struct lifecycle l = lifecycle_of(&w, task, true, 1);
#ifndef VMI_TESTS_KERNEL_BUILDER_H
#define VMI_TESTS_KERNEL_BUILDER_H

#include "src/kernel/kernel.h"

enum { GUEST_PAGES = 2048 }; // 8 MiB

// Bits of a page-table entry.
enum {
	GUEST_PRESENT = 1 << 0,
	GUEST_WRITE = 1 << 1,
	GUEST_USER = 1 << 2,
	GUEST_ACCESSED = 1 << 5,
	GUEST_DIRTY = 1 << 6,
	GUEST_LARGE = 1 << 7,
	GUEST_PROT_NONE = 1 << 8,
};
#define GUEST_NX (1ULL << 63)
#define GUEST_RW (GUEST_PRESENT | GUEST_WRITE)

// All of physical memory is mapped at guest_va(g, 0), as in a kernel's direct map.
struct guest {
	struct mem_source source; // first: read() casts back
	struct kernel k;
	uint8_t *bytes;	 // GUEST_PAGES pages
	bool *absent;	 // of each page
	uint64_t root;	 // physical address of the top page table
	uint64_t next;	 // first physical address that is not in use
	unsigned levels; // 4 or 5
	unsigned reads;	 // by the code under test since the last change
};

struct guest *guest_new(unsigned levels);
void guest_free(struct guest *g);

// --- memory ---

// The direct map's address of a physical one, and back.
uint64_t guest_va(const struct guest *g, uint64_t pa);
uint64_t guest_pa(const struct guest *g, uint64_t va);
// n zero bytes at a multiple of 256, where no two things share a page-table entry's low bits.
uint64_t guest_alloc(struct guest *g, size_t n);
// The physical address of a page of zeros.
uint64_t guest_page(struct guest *g);
// The page of this physical address is not in the image.
void guest_drop(struct guest *g, uint64_t pa);

// At addresses of the direct map. What the code under test has cached is forgotten.
void guest_put(struct guest *g, uint64_t va, const void *bytes, size_t n);
void put_u64(struct guest *g, uint64_t va, uint64_t v);
void put_u32(struct guest *g, uint64_t va, uint32_t v);
// next and prev of a list_head.
void put_links(struct guest *g, uint64_t node, uint64_t next, uint64_t prev);
// A ring through the list_heads at these addresses; the first is the head.
void put_ring(struct guest *g, const uint64_t *nodes, size_t n);

// --- page tables ---

// Maps [va, va + size) to pa with pages of `page` bytes (4 KiB, 2 MiB, 1 GiB) in the tables below
// root; tables that lack are made and allow all.
void guest_map_in(struct guest *g, uint64_t root, uint64_t va, uint64_t pa, uint64_t size,
		  uint64_t page, uint64_t flags);
void guest_map(struct guest *g, uint64_t va, uint64_t pa, uint64_t size, uint64_t page,
	       uint64_t flags);
// The physical address of va's entry at a level (1: page table); its tables must be there.
uint64_t guest_entry(const struct guest *g, uint64_t root, uint64_t va, unsigned level);
// An entry, whatever it means.
void put_entry(struct guest *g, uint64_t entry_pa, uint64_t v);

// --- fields ---

// A field of `size` bytes at this offset; guest_place_array: n elements of size bytes each.
void guest_place(struct guest *g, enum field f, uint32_t off, uint32_t size);
void guest_place_signed(struct guest *g, enum field f, uint32_t off, uint32_t size);
void guest_place_array(struct guest *g, enum field f, uint32_t off, uint32_t size, uint32_t n);
void guest_place_bits(struct guest *g, enum field f, uint32_t off, unsigned bit, unsigned width);
void guest_unplace(struct guest *g, enum field f);
// Places every field of a struct, each of 8 bytes, 16 bytes apart; gives the size of the struct.
uint32_t guest_struct(struct guest *g, const char *type);

// Writes a placed field of the structure at base.
void guest_set(struct guest *g, uint64_t base, enum field f, uint64_t v);
uint64_t guest_field(const struct guest *g, uint64_t base, enum field f);

#endif
