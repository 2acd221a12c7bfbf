// SPDX-License-Identifier: LGPL-2.1-or-later
// Types of a module, from the BTF that the kernel keeps of it in memory (since 5.11).
//
// The BTF of a module is split: it goes on where the kernel's own ends. A driver that is built in
// has its types in the kernel's BTF.
#ifndef VMI_KERNEL_MODULE_TYPES_H
#define VMI_KERNEL_MODULE_TYPES_H

#include "src/kernel/kernel.h"

struct module_types;

// The types of a module ("virtio_net", with underscores) in which there is a struct `type`, or the
// kernel's own if they have it; NULL if neither has it. Does not depend on the module being live.
struct module_types *module_types_open(struct kernel *k, const char *module, const char *type);
void module_types_close(struct module_types *m); // NULL is fine

// The size of a struct, or 0.
uint64_t module_sizeof(const struct module_types *m, const char *type);
// The address of a member ("stats.packets") of the structure at base, or 0 if there is none such.
uint64_t module_va(const struct module_types *m, uint64_t base, const char *type, const char *path);
// An integer or pointer of at most 8 bytes, sign-extended if signed; also one wrapped in a struct,
// as u64_stats_t is.
bool module_get(const struct module_types *m, uint64_t base, const char *type, const char *path,
		uint64_t *v);
// Where a member of any size is in its struct.
bool module_offset(const struct module_types *m, const char *type, const char *path, uint32_t *off);
// How many bytes such a member has, or 0.
size_t module_width(const struct module_types *m, const char *type, const char *path);

#endif
