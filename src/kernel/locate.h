// SPDX-License-Identifier: LGPL-2.1-or-later
// The steps of finding a kernel, private to this folder. In their order:
//
//	anchor.c     linux_banner in physical memory; the .rodata behind it, with the kernel's BTF
//	types.c      fields of fields.def out of the BTF
//	bootstrap.c  init_task by its pointers to itself, the direct map
//	roots.c      the page tables
//	symbols.c    kallsyms, VMCOREINFO, per-CPU areas, names and ids
//	find.c       all of it for each candidate; the best one wins
#ifndef VMI_KERNEL_LOCATE_H
#define VMI_KERNEL_LOCATE_H

#include "src/base/vec.h"
#include "src/kernel/kernel.h"

enum { MAX_ANCHORS = 1024, BANNER_MAX = 512 };

// A text in physical memory that may be some kernel's linux_banner.
struct anchor {
	uint64_t pa;
	char text[BANNER_MAX]; // without the newline
};
typedef VEC(struct anchor) anchor_vec;

// Looks at the start of every `step` bytes only: .rodata begins on such a boundary, and
// linux_banner lies in its first bytes (measured on 5.10 to 7.2). x86-64: 2 MiB, which touches one
// page in 512; arm64: 64 KiB (SEGMENT_ALIGN).
enum { STEP_X86_64 = 2 << 20, STEP_ARM64 = 64 << 10 };
void anchors_cheap(struct physmem *mem, uint64_t step, anchor_vec *out);
// Looks everywhere.
void anchors_everywhere(struct physmem *mem, anchor_vec *out);

// What the search for types and page tables remembers from one anchor to the next, so that a memory
// full of lies costs one pass over it and not one for each of them.
struct type_search {
	uint64_t barren_from, barren_to; // physical addresses between which no kernel's BTF begins
	unsigned tries;			 // of opening what looked like one
	unsigned deduced;		 // candidates whose symbols were deduced
	uint64_t pages, roots;		 // looked at for a root of page tables; tried as one
};

// Reads .rodata from the anchor's page on until it holds a whole kernel BTF; opens it. Where it has
// none, image_btf stays NULL and the error says so; the window is there nevertheless.
struct err *window_open(struct kernel *k, const struct anchor *a, struct type_search *search);
// Reads at least the first bytes of .rodata, where there is no BTF to say how far it goes.
void window_need(struct kernel *k);

void kernel_resolve_fields(struct kernel *k);

// Fills init_task, image_offset, page_offset and the address space.
struct err *bootstrap(struct kernel *k, const uint64_t *cr3s, size_t n_cr3s,
		      struct type_search *search);
// A pointer field of the structure at a physical address.
bool bootstrap_read_pa(struct kernel *k, uint64_t pa, enum field f, uint64_t *v);

// Finds the root of the page tables; k->as is by it.
bool roots_find(struct kernel *k, const uint64_t *cr3s, size_t n_cr3s, struct type_search *search);
// Tries a root; takes it if the known addresses translate as they must.
bool roots_try(struct kernel *k, uint64_t root_pa);
// Whether a CPU runs on page tables that map this kernel to where it is.
bool roots_run_on(struct kernel *k, const uint64_t *cr3s, size_t n_cr3s);

// Fills symbols, VMCOREINFO, build id, per-CPU offsets, release.
struct err *symbols_open(struct kernel *k, const struct kernel_supply *supply);
// Of these the per-CPU ones, once __per_cpu_start and __per_cpu_offset are known.
void symbols_open_percpu(struct kernel *k);

#endif
