// SPDX-License-Identifier: LGPL-2.1-or-later
// The description of devices' sections that QEMU puts behind a stream, in JSON (since 2.2).
#ifndef VMI_FORMATS_QEMU_VMDESC_H
#define VMI_FORMATS_QEMU_VMDESC_H

#include "formats/json_in.h"
#include "src/base/vec.h"

enum { VMDESC_NAME_SIZE = 256, VMDESC_FIELD_NAME_SIZE = 32 };

struct vmdesc_field {
	char name[VMDESC_FIELD_NAME_SIZE];
	uint64_t off;  // in the section's payload
	uint64_t size; // of an element
	uint64_t n;    // elements
};

// A device: its payload's size, and where the fields are in it.
struct vmdesc_device {
	char name[VMDESC_NAME_SIZE];
	uint32_t instance;
	uint64_t size;
	VEC(struct vmdesc_field) fields;
};

// Steps in front of the first device; false if text is no such description.
bool vmdesc_open(struct json_in *j, const void *text, size_t n);
// The next device, in the order of the stream; d is used again and again, fields and all.
bool vmdesc_next(struct json_in *j, struct vmdesc_device *d);

#endif
