// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers out of the section "cpu" of a migration stream.
#ifndef VMI_FORMATS_QEMU_CPU_H
#define VMI_FORMATS_QEMU_CPU_H

#include "formats/fmt.h"
#include "formats/qemu_vmdesc.h"

// The n bytes of payload by the stream's own description; false if CR3 is not among them.
bool qemu_cpu_described(struct vcpu *v, const struct vmdesc_device *d, const uint8_t *payload,
			size_t n);
// The same without one, if the section's version is one that is known.
bool qemu_cpu_fixed(struct vcpu *v, uint32_t version, const uint8_t *payload, size_t n);

#endif
