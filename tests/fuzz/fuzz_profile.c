// SPDX-License-Identifier: LGPL-2.1-or-later
// Profiles: what a child hands back, and what is kept from one run to the next.
#include "symbols/profile.h"
#include "symbols/symtab.h"
#include "tests/fuzz/reader.h"

enum { KEY = 42 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct symbol_want want = {.name = "init_task"};
	const char *name;
	uint64_t off;
	struct profile *p;

	if (profile_read(data, n, KEY, &p))
		return 0;
	if (p->symbols) {
		symtab_resolve(p->symbols, &want, 1);
		(void)symtab_name_at(p->symbols, want.va, &name, &off);
	}
	profile_free(p);
	return 0;
}
