// SPDX-License-Identifier: LGPL-2.1-or-later
// DWARF to BTF: of the types that a vmlinux describes in every one of its thousands of units, those
// that are asked for, and what they embed.
//
// The sections are those of DWARF 4 and 5, not relocated (as in an executable), uncompressed. They
// are read by libdwarf, which has a history of bugs with broken input: this is called in a process
// that may die (src/symfiles/child.h).
#ifndef VMI_SYMBOLS_DWARF_H
#define VMI_SYMBOLS_DWARF_H

#include "src/base/err.h"
#include "symbols/btf_write.h"
#include "symbols/wanted.h"

// A section; n 0: the file has none such.
struct dwarf_section {
	const uint8_t *at;
	size_t n;
};

struct dwarf_sections {
	struct dwarf_section info, abbrev, str, line_str, str_offsets;
	bool is64; // of ELF's class, which is the size of pointers
};

struct dwarf_found {
	size_t units, visited; // visited: whose types were looked at
};

// Adds the types to *out. ERR_FORMAT: broken; ERR_UNSUPPORTED: built without libdwarf.
struct err *dwarf_to_btf(const struct dwarf_sections *s, struct wanted *wanted,
			 struct btf_writer *out, struct dwarf_found *found);

// The version of libdwarf, or NULL.
const char *dwarf_library(void);

#endif
