// SPDX-License-Identifier: LGPL-2.1-or-later
// A window of .rodata with the tables of kallsyms in it, in any of their layouts, for the tests of
// their reader.
#ifndef VMI_TESTS_KALLSYMS_BUILDER_H
#define VMI_TESTS_KALLSYMS_BUILDER_H

#include "src/base/vec.h"
#include "symbols/kallsyms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KB_SYMBOLS = 1500, KB_LONG = 700, KB_PERCPU = 20, KB_BANNER = 0x1240 };

#define KB_WINDOW_VA 0xffffffff82000000ULL
#define KB_TEXT_VA   0xffffffff81000000ULL

struct kb_symbol {
	uint64_t va;
	char type;
	char name[160];
};

struct kb_layout {
	const char *what;
	bool old_order; // up to 6.3
	bool seqs;
	uint64_t align;
	enum kallsyms_encoding encoding;
	bool long_lengths;
	unsigned word; // 8, or 4 of kernels of 32 bits
};

// Zero-initialised but for layout.
struct kallsyms_builder {
	const struct kb_layout *layout;
	struct kb_symbol
		*symbols; // KB_SYMBOLS, by address; number KB_LONG has more than 127 tokens
	struct kallsyms_layout places;
	uint64_t window_va, text_va; // the low half of those above, of 32 bits
	VEC(uint8_t) bytes;	     // the window
};

// The layouts that Linux has had, ended by one without `what`.
extern const struct kb_layout kb_layouts[];

void kb_build(struct kallsyms_builder *b, const struct kb_layout *layout);
// The window in a block of exactly n bytes of its own, cut off or with zeros behind.
uint8_t *kb_window(const struct kallsyms_builder *b, size_t n);
void kb_fini(struct kallsyms_builder *b);

#endif
