// SPDX-License-Identifier: LGPL-2.1-or-later
// Settings of the kernel.
#ifndef VMI_WALK_SYSCTL_H
#define VMI_WALK_SYSCTL_H

#include "src/walk/walk.h"

// The value of a struct ctl_table and how it is kept (int, string, ...), in the row arena. Both are
// absent if the handler is not one that prints what is in memory.
void sysctl_value(struct walk *w, uint64_t table, struct opt_text *value, struct opt_text *type);

extern const struct extractor walk_sysctl; // system_controls

#endif
