// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers of virtual CPUs as Xen's structures have them.
#ifndef VMI_FORMATS_XENCPU_H
#define VMI_FORMATS_XENCPU_H

#include "formats/fmt.h"

enum { XEN_CONTEXT64 = 5168, XEN_CONTEXT32 = 2800 }; // sizes of vcpu_guest_context

// A vcpu_guest_context of a 64-bit guest, paravirtual or not.
void xen_take_context(struct vcpu *v, const uint8_t ctx[static XEN_CONTEXT64], bool pv);

// The CPU record of an HVM context; fields that n bytes do not reach stay unknown.
void xen_take_hvm_cpu(struct vcpu *v, const uint8_t *rec, size_t n);

#endif
