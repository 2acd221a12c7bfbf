// SPDX-License-Identifier: LGPL-2.1-or-later
// The two files of a VMware snapshot, each found from the other.
#ifndef VMI_FORMATS_VMWARE_PARTNER_H
#define VMI_FORMATS_VMWARE_PARTNER_H

#include "formats/fmt.h"

// The .vmem beside a state file. If there is none, the error says what to do.
struct err *vmware_open_memory(const char *state_path, struct io **out);

// The state file that was named (--vmss), checked by its magic.
struct err *vmware_open_named(const char *path, struct io **out);

// For an image that is memory without a header and called .vmem: the state file beside it whose
// regions have the memory's size, or NULL. One that is there and does not fit is told as damage.
struct io *vmware_find_state(struct image *img);

// The names that a partner of this image would have, the image's own among them; none if it is not
// called like one of VMware's.
void vmware_partners(const char *path, void (*visit)(void *arg, const char *path), void *arg);

#endif
