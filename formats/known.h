// SPDX-License-Identifier: LGPL-2.1-or-later
// Containers that are recognised and have no reader (yet).
#ifndef VMI_FORMATS_KNOWN_H
#define VMI_FORMATS_KNOWN_H

#include "formats/fmt.h"

// The refusal with the container's name and what to do, or NULL if it is none of them.
struct err *known_refusal(const struct fmt_probe *p);

// Whether it is one that never has memory in it: disks, databases, what lies beside memory.
bool known_holds_no_memory(const struct fmt_probe *p);

#endif
