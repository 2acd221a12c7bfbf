// SPDX-License-Identifier: LGPL-2.1-or-later
// The parts of a core by xl dump-core, and the two halves of its reader.
#ifndef VMI_FORMATS_XENCORE_H
#define VMI_FORMATS_XENCORE_H

#include "formats/elf.h"
#include "formats/fmt.h"
#include "formats/frames.h"
#include "formats/hostmap.h"

enum xen_part {
	XEN_NOTE,
	XEN_PRSTATUS,
	XEN_PAGES,
	XEN_P2M, // {frame, frame of the host} for each page: paravirtual
	XEN_PFN, // frame for each page: PVH, HVM
	XEN_PARTS,
};

struct xencore {
	struct image *img;
	Elf64_Shdr part[XEN_PARTS]; // sh_size 0: there is none
	bool named;		    // the names of the sections could be read
	bool pv;
	uint64_t nr_pages; // as the header note has it; UINT64_MAX where there is none
	struct frames frames;
	struct hostmap host;
};

// The sections by name, or where a dump was cut before their names, by their shape.
void xencore_find_parts(struct xencore *c, const struct elf_file *f);

// Frames and host map out of .xen_p2m or .xen_pfn.
struct err *xencore_read_list(struct xencore *c);

#endif
