// SPDX-License-Identifier: LGPL-2.1-or-later
// The two halves of the ELF core reader: program headers to runs, notes to vCPUs.
#ifndef VMI_FORMATS_ELFCORE_H
#define VMI_FORMATS_ELFCORE_H

#include "formats/elf.h"
#include "formats/fmt.h"
#include "src/base/scope.h"
#include "src/base/vec.h"

enum { ELFCORE_MAX_NOTE_SEGMENTS = 16 };

// What the program headers say.
struct elfcore_map {
	VEC(struct mem_run) runs; // as in the file; elfcore_settle() sorts them out
	Elf64_Phdr notes[ELFCORE_MAX_NOTE_SEGMENTS];
	size_t n_notes;
	uint64_t n_loads;      // with bytes in the file
	uint64_t n_at_zero;    // of these, with p_paddr 0
	uint64_t n_linear;     // of these, with p_paddr 0 or the virtual address again
	uint64_t n_virtual;    // of these, with no possible p_paddr (kcore: -1)
	uint64_t n_impossible; // of these, with a range that overflows
	uint64_t promised_end; // of the file, by the program headers
	bool headers_cut;      // the file ends inside the table
};

struct err *elfcore_map(const struct elf_file *f, struct elfcore_map *m);
// Sorted, without overlap, adjacent parts merged.
void elfcore_settle(struct elfcore_map *m);
// After that: refuses runs that show the same bytes of the file over and over.
struct err *elfcore_check_size(const struct elfcore_map *m, uint64_t file_size);

// vCPUs and VMCOREINFO into img; refuses what the notes show to be another format.
struct err *elfcore_notes(const struct elfcore_map *m, struct image *img);

#endif
