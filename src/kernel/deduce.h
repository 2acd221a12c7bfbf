// SPDX-License-Identifier: LGPL-2.1-or-later
// Symbols that no table lists, told by what must be there: for kernels built without KALLSYMS_ALL,
// whose table has no data, or without any table. Private to this folder.
//
//	deduce.c         reads the kernel's image; one pass over all words that can be pointers
//	deduce_percpu.c  the areas of the CPUs
//	deduce_boot.c    command line, memory map, DMI, page tables, vsyscall
//	deduce_lists.c   modules and their types, sockets of ping and unix
//	deduce_net.c     tables of sockets, from the protocols' own list
//	deduce_memory.c  nodes, their counters, swap areas
//	deduce_clock.c   timekeeper, frequency of the CPU
//	deduce_log.c      the kernel's log
//	deduce_fs.c      super blocks, mounts, the vDSO
//
// A finding rests on what only the real thing has: a pointer to itself, a sum that must be equal,
// two fields that say the same.
#ifndef VMI_KERNEL_DEDUCE_H
#define VMI_KERNEL_DEDUCE_H

#include "src/base/vec.h"
#include "src/kernel/kernel.h"

// A run of pages of the kernel's image, as mapped and read; code is left out.
struct image_part {
	uint64_t va;
	size_t n;
	uint8_t *bytes;
	bool writable;
};

enum { AREA_MOST = 1 << 20 }; // bytes of a CPU's area; those of Debian's 7.2 have 0.3 MiB

struct deduction {
	struct kernel *k;
	VEC(struct image_part) parts; // by address
	uint64_t start, end;	      // of the image, code included
	uint64_t text;		      // its first page of code
	bool whole;		      // nothing of it is missing
	uint64_t ram_end;	      // of the direct map
	// What recognisers have to remember.
	uint64_t in_area;  // an address in the area of some CPU
	uint64_t distance; // of that area from the first copy
	uint64_t own;	   // this_cpu_off, where each area holds its distance
	uint64_t netlink_bucket;
	uint64_t ping_proto, pingv6_proto, unix_proto;
	uint64_t clock_at; // the newest reading so far, ns
	size_t command_line_n;
	unsigned line_tries, area_tries; // what costs more than a few reads is bounded
	uint64_t swap_info;		 // the array
	uint64_t root_mnt;		 // of init_task
	int64_t dmi_date;		 // where in dmi_ident[] the date is
	bool has_clock_symbol;
};

// A word of the image that can be a pointer.
struct word {
	uint64_t at, value;
	const struct image_part *part;
};

// Looks at a word; sets symbols that it gives away.
typedef void recogniser(struct deduction *d, const struct word *w);

// Finds what symbols are missing; for kernels whose tables list no data.
void deduce_symbols(struct kernel *k);

// --- what recognisers use ---

// The word `delta` bytes from this one, if its part reaches there.
bool word_near(const struct word *w, int64_t delta, uint64_t *v);
// Whether an address is in the direct map, or in the image.
bool deduce_is_direct(const struct deduction *d, uint64_t va);
bool deduce_is_image(const struct deduction *d, uint64_t va);
// The address of these bytes in a writable part, on a multiple of align; 0 if they are nowhere.
uint64_t deduce_find_bytes(const struct deduction *d, const void *bytes, size_t n, size_t align);
// Sets a symbol unless it is known.
void deduce_set(struct deduction *d, enum symbol s, uint64_t va);
// Says what a variable's value must be.
void deduce_value(struct deduction *d, enum symbol s, uint64_t value);
// Says that all of the image was looked through in vain.
void deduce_none(struct deduction *d, enum symbol s);

// --- before the pass: from init_task on ---
void deduce_percpu_start(struct deduction *d);
void deduce_protocols(struct deduction *d);
void deduce_namespaces(struct deduction *d);

// --- in the pass ---
recogniser see_percpu_offset, see_list, see_netlink_tables, see_e820_table, see_command_line,
	see_dmi, see_vmcoreinfo, see_map_bases, see_gate_vma, see_node, see_swap_info,
	see_timekeeper;

// --- after it ---
void deduce_page_tables(struct deduction *d);
void deduce_boot_cpu(struct deduction *d);
void deduce_cpu_info(struct deduction *d);
void deduce_counters(struct deduction *d);
void deduce_swap(struct deduction *d);
void deduce_frequency(struct deduction *d);
void deduce_vsyscall(struct deduction *d);
void deduce_file_systems(struct deduction *d);
void deduce_vdso(struct deduction *d);
void deduce_log(struct deduction *d);

#endif
