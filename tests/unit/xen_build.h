// SPDX-License-Identifier: LGPL-2.1-or-later
// Cores and saved domains of Xen that tests write in memory.
#ifndef VMI_TESTS_XEN_BUILD_H
#define VMI_TESTS_XEN_BUILD_H

#include "tests/unit/mem_io.h"

enum {
	XC_NOTES = 0x200, // where the parts of a core are
	XC_PRSTATUS = 0x768,
	XC_PAGES = 0x4000,
	XC_SECTIONS = 7,
	XC_MOST = 64,
};

#define XC_NONE UINT64_MAX // the frame of a page that went away while it was dumped

// A core by xl dump-core. Page i holds noise of its frame's address.
struct xen_core {
	bool pv;
	uint64_t frame[XC_MOST], host[XC_MOST]; // host: for pv
	unsigned n, n_cpus;
	uint64_t magic, page_size, format, nr_pages; // set by xen_core_init(); nr_pages 0: n
	uint64_t flags;				     // of all CPUs
	uint16_t cs;
	uint32_t context_size;
	uint16_t machine;
	bool without_names; // the string table was not written
};

void xen_core_init(struct xen_core *c, bool pv, unsigned n);
struct blob xen_core_write(const struct xen_core *c);
// Where section i's header is in the file, and the parts that follow the pages.
size_t xen_core_section(unsigned i);
size_t xen_core_list(const struct xen_core *c);
size_t xen_core_names(const struct xen_core *c);

// A saved domain, piece by piece.
enum xen_wrap { XEN_XL, XEN_LIBXL, XEN_LIBXC };
struct blob xen_save_begin(enum xen_wrap wrap, uint32_t type, uint32_t version);
void xen_save_record(struct blob *b, uint32_t type, const void *body, size_t n);
// PAGE_DATA: entries {type << 60 | frame}; those with contents have noise of address + seed.
void xen_save_pages(struct blob *b, const uint64_t *entries, uint32_t n, uint64_t seed);
void xen_save_end(struct blob *b);

// A vcpu_guest_context whose registers are n * 100000 + their offset.
void xen_context(uint8_t *ctx, unsigned n, uint64_t flags, uint16_t cs);

#endif
