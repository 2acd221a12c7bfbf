// SPDX-License-Identifier: LGPL-2.1-or-later
// What a VMware state file says of memory and CPUs, and which memory file goes with it.
#ifndef VMI_FORMATS_VMWARE_H
#define VMI_FORMATS_VMWARE_H

#include "formats/fmt.h"
#include "formats/vmware_tags.h"
#include "src/base/vec.h"

// Frames [frame, frame + n) are pages [page, page + n) of the memory.
struct vmware_region {
	uint32_t frame, page, n;
};

struct vmware_state {
	VEC(struct vmware_region) regions;
	uint64_t n_regions; // as counted by the file; 0: all of memory is one, from address 0 on
	uint64_t memory_off, memory_size; // the memory inside the file; size 0: there is none
	VEC(struct vcpu) vcpus;
	uint64_t n_cpus;	 // as counted by the file; 0: not
	uint32_t magic, version; // of the file's head
	uint64_t n_odd;		 // tags of regions and CPUs that cannot be
	bool cut;
};

struct err *vmware_state_read(struct io *io, struct vmware_state *s);
void vmware_state_fini(struct vmware_state *s);
// Bytes of memory that the regions take; 0 if there are none.
uint64_t vmware_state_size(const struct vmware_state *s);

// The vCPU part: a tag of the group "cpu".
void vmware_take_cpu_tag(struct vmware_state *s, const struct vmware_tag *tag);

#endif
