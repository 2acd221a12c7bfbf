// SPDX-License-Identifier: LGPL-2.1-or-later
// VMware state files that tests write in memory.
#ifndef VMI_TESTS_VMWARE_BUILD_H
#define VMI_TESTS_VMWARE_BUILD_H

#include "tests/unit/mem_io.h"

// A state file under way: groups are opened one after the other, tags go into the open one.
struct vmware_build {
	struct blob file;
	unsigned n_groups, most_groups;
	size_t width; // of a block's sizes
};

void vmware_begin(struct vmware_build *b, uint32_t magic, unsigned most_groups);
void vmware_group(struct vmware_build *b, const char *name);
// Ends the open group with its zero tag.
void vmware_group_end(struct vmware_build *b);

// A tag with n_indices indices and a value of n <= 61 bytes.
void vmware_tag(struct vmware_build *b, const char *name, unsigned n_indices,
		const uint32_t *indices, const void *value, size_t n);
// With 0 or 1 index and a 32-bit value.
void vmware_u32(struct vmware_build *b, const char *name, int index, uint32_t value);
// A block, behind some padding; compressed only by its flag.
void vmware_block(struct vmware_build *b, const char *name, unsigned n_indices,
		  const uint32_t *indices, uint16_t padding, const void *bytes, size_t n,
		  bool compressed);
void vmware_region(struct vmware_build *b, uint32_t i, uint32_t frame, uint32_t page, uint32_t n);

#endif
