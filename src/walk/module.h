// SPDX-License-Identifier: LGPL-2.1-or-later
// Loaded modules: their table, and who else asks which module lies where.
#ifndef VMI_WALK_MODULE_H
#define VMI_WALK_MODULE_H

#include "src/walk/walk.h"

// Visits every formed module in the order of /proc/modules. name is borrowed until visit returns.
// ITER_END if the list was walked to its end; ITER_FAULT too where the kernel has no such list.
enum iter_end modules_each(struct walk *w,
			   void (*visit)(void *arg, uint64_t module, const char *name), void *arg);

// "name=value name=value", as they were given; in the row arena.
struct opt_text module_arguments(struct walk *w, uint64_t module);

extern const struct extractor walk_modules;

#endif
