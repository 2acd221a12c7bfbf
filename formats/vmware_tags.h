// SPDX-License-Identifier: LGPL-2.1-or-later
// The container of VMware's .vmss and .vmsn: groups of tags.
//
// Layout as read by crash (vmware_vmss.c, 8.0) and volatility 3 (layers/vmware.py): u32 magic,
// version, number of groups; groups of 80 bytes {name[64], u64 position, u64 size}; a group is tags
// up to a zero u16. A tag is u8 flags (low 6 bits: size of the value, top 2: number of indices),
// u8 length of the name, name, u32 indices, value. Sizes 63 and 62 stand for a block, plain or
// compressed: size in the file, size in memory, u16 number of padding bytes, padding, bytes.
#ifndef VMI_FORMATS_VMWARE_TAGS_H
#define VMI_FORMATS_VMWARE_TAGS_H

#include "src/phys/io.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VMWARE_HEAD = 12,
	VMWARE_MAX_INDICES = 3,
	VMWARE_VALUE = 128, // bytes of a value that are read; larger blocks are memory
};

struct vmware_tag {
	char name[256];
	uint32_t index[VMWARE_MAX_INDICES];
	unsigned n_indices;
	bool block, compressed;
	uint64_t off, size; // of the value's bytes in the file
	uint8_t value[VMWARE_VALUE];
	size_t n; // bytes of value that are there
};

// Whether the first bytes of a file are those of a state file.
bool vmware_magic(const uint8_t *head, size_t n);

// Visits the tags of every group of this name. *cut is set where tags or groups lie beyond the
// file's end. The error is the visitor's, or one of reading.
struct err *vmware_each_tag(struct io *io, const char *group,
			    struct err *(*visit)(void *arg, const struct vmware_tag *tag),
			    void *arg, bool *cut);

#endif
