// SPDX-License-Identifier: LGPL-2.1-or-later
// What the files of dwarf*.c share: units, and short forms of libdwarf's calls.
#ifndef VMI_SYMBOLS_DWARF_IMPL_H
#define VMI_SYMBOLS_DWARF_IMPL_H

#include "symbols/dwarf.h"

#include <libdwarf/dwarf.h>
#include <libdwarf/libdwarf.h>

// --- units: dwarf_units.c ---

enum { UNIT_NAMES = 512 }; // names told apart; more share a bit

// A compilation unit, and which wanted names its bytes refer to.
struct dwarf_unit {
	uint64_t die; // offset of its first entry
	uint64_t types[UNIT_NAMES / 64], constants[UNIT_NAMES / 64];
};
typedef VEC(struct dwarf_unit) dwarf_unit_vec;

// Lists the units of .debug_info with the names that each refers to. Where names are not told by
// their place in .debug_str (short ones, DWARF 5's indices) every unit may have them.
struct err *dwarf_units(const struct dwarf_sections *s, const struct wanted *w,
			dwarf_unit_vec *out);
// Whether it may describe something that is still wanted.
bool dwarf_unit_is_of_use(const struct dwarf_unit *u, const struct wanted *w);

// --- entries: dwarf_entry.c ---

struct dwarf_file; // .debug_info as libdwarf has it

struct err *dwarf_file_open(const struct dwarf_sections *s, struct dwarf_file **out);
void dwarf_file_close(struct dwarf_file *f);

// An entry with its tag; die NULL: there is none.
struct dwarf_entry {
	struct dwarf_file *file;
	Dwarf_Die die;
	Dwarf_Half tag;
};

struct dwarf_entry dwarf_entry_at(struct dwarf_file *f, uint64_t off);
struct dwarf_entry dwarf_entry_child(const struct dwarf_entry *e);
// Gives up e, which becomes its sibling.
void dwarf_entry_next(struct dwarf_entry *e);
void dwarf_entry_fini(struct dwarf_entry *e);

uint64_t dwarf_entry_offset(const struct dwarf_entry *e);
// NULL or "": it has none. Borrowed from the sections.
const char *dwarf_entry_name(const struct dwarf_entry *e);
bool dwarf_entry_has(const struct dwarf_entry *e, Dwarf_Half attribute);
bool dwarf_entry_number(const struct dwarf_entry *e, Dwarf_Half attribute, uint64_t *v);
// The entry that DW_AT_type refers to; none for void.
struct dwarf_entry dwarf_entry_type(const struct dwarf_entry *e);

#endif
