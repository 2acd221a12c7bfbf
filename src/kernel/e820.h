// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's own map of its memory.
#ifndef VMI_KERNEL_E820_H
#define VMI_KERNEL_E820_H

#include "src/kernel/kernel.h"

// Visits the ranges of RAM in the kernel's e820 table; false if it can't be read.
bool e820_each_ram(struct kernel *k, void (*visit)(void *arg, uint64_t start, uint64_t end),
		   void *arg);

#endif
