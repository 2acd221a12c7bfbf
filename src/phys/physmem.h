// SPDX-License-Identifier: LGPL-2.1-or-later
// One guest-physical memory, whatever container it came in: read(pa) is bytes, zero or absent.
//
// Three states that stay apart up to the SQL: present (the container has the bytes), zero (the
// container says that they are zero), absent (it does not have them). A page whose bytes should be
// in the file but can't be read (truncated file, bad disk) is absent, and counted in `unreadable`.
#ifndef VMI_PHYS_PHYSMEM_H
#define VMI_PHYS_PHYSMEM_H

#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT };

enum mem_state { MEM_PRESENT, MEM_ZERO, MEM_ABSENT };

// Physical addresses [pa, pa + size). `off` is the reader's own (for most: the file offset).
struct mem_run {
	uint64_t pa, size, off;
	enum mem_state state; // MEM_PRESENT or MEM_ZERO
};

// Where the bytes of a present run come from. Reads n bytes at run->pa + delta, all inside the
// run; *got is less than n where the container is truncated.
struct mem_source {
	struct err *(*read)(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			    void *buf, size_t n, size_t *got);
	// Of a paravirtual guest, whose page tables and CR3 hold frames of the host: the guest's
	// number for one of these, false if it is none of the guest's. NULL where there is no such
	// difference, which is nearly everywhere.
	bool (*guest_frame)(struct mem_source *src, uint64_t host_frame, uint64_t *guest_frame);
};

struct physmem;

// Takes copies of the runs; refuses those that are unsorted, overlap, overflow or are empty
// (ERR_FORMAT). src must outlive the result.
struct err *physmem_new(struct mem_source *src, const struct mem_run *runs, size_t n_runs,
			struct physmem **out);
void physmem_free(struct physmem *pm);

// The same bytes of the container, in the same order and of the same sizes, at other addresses:
// what image_set_hole() does. pm stays valid, its statistics go on. On an error nothing changes.
struct err *physmem_move(struct physmem *pm, const struct mem_run *runs, size_t n_runs);

// All of [pa, pa + n), or false if a byte of it is absent. Small reads go through a page cache.
bool physmem_read(struct physmem *pm, uint64_t pa, void *buf, size_t n);

// As many bytes as there are from pa on, up to n, straight into buf: for large, contiguous parts.
// Absent pages inside become zero bytes; the result is how many leading bytes are there.
size_t physmem_read_bulk(struct physmem *pm, uint64_t pa, void *buf, size_t n);
// Calls look() before each of these, where long work spends its time: whoever is to be asked
// whether it goes on is asked there.
void physmem_on_bulk(struct physmem *pm, void (*look)(void *arg), void *arg);

// The state of the page that holds pa.
enum mem_state physmem_state(struct physmem *pm, uint64_t pa);

// The guest's physical address for one that a page table or CR3 holds; false if it has none.
bool physmem_of_table(const struct physmem *pm, uint64_t address, uint64_t *pa);

// The runs, sorted by pa, adjacent ones of a state not merged.
const struct mem_run *physmem_runs(const struct physmem *pm, size_t *n);
// One past the last physical address of any run.
uint64_t physmem_end(const struct physmem *pm);

struct physmem_stats {
	uint64_t pages_touched; // distinct pages whose bytes were read from the container
	uint64_t page_reads;	// reads of a page from the container, repeated ones included
	uint64_t unreadable;	// pages that a run promised and the container did not have
};
struct physmem_stats physmem_stats(const struct physmem *pm);

#endif
