// SPDX-License-Identifier: LGPL-2.1-or-later
// A symbol looked for, in whatever table: kallsyms of the image, or one of a file.
#ifndef VMI_SYMBOLS_SYMBOL_H
#define VMI_SYMBOLS_SYMBOL_H

#include <stdbool.h>
#include <stdint.h>

struct symbol_want {
	const char *name;
	uint64_t va;	// out, 0 if not found
	bool found;	// out
	char type;	// out: 'T', 'd', ... as in /proc/kallsyms; per-CPU ones may be 'A'
	uint32_t count; // out: how many symbols have this name
};

// Of several with one name the one of the highest rank is meant: a global before a static, then
// data before text.
int symbol_rank(char type);

#endif
