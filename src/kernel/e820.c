// SPDX-License-Identifier: LGPL-2.1-or-later
// The guest's own map of its memory, as the firmware gave it: arch/x86/kernel/e820.c.
#include "src/kernel/e820.h"

enum { MAX_ENTRIES = 4096, E820_RAM = 1 };

bool e820_each_ram(struct kernel *k, void (*visit)(void *arg, uint64_t start, uint64_t end),
		   void *arg)
{
	uint64_t table, n, size = k_sizeof(k, "e820_entry");

	if (!k->symbol[S(e820_table)] || !k_ptr(k, k->symbol[S(e820_table)], &table) || !size ||
	    !k_get(k, table, F(e820_table, nr_entries), &n) || n > MAX_ENTRIES)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t e = k_field_va(k, table, F(e820_table, entries)) + i * size;
		uint64_t addr, len, type;
		if (!k_get(k, e, F(e820_entry, addr), &addr) ||
		    !k_get(k, e, F(e820_entry, size), &len) ||
		    !k_get(k, e, F(e820_entry, type), &type) || addr + len < addr)
			return false;
		if (type == E820_RAM)
			visit(arg, addr, addr + len);
	}
	return true;
}
