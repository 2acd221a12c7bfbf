// SPDX-License-Identifier: LGPL-2.1-or-later
// A kernel's ELF file in memory: its sections, symbols and identity, by libelf.
#ifndef VMI_SYMFILES_ELF_IMAGE_H
#define VMI_SYMFILES_ELF_IMAGE_H

#include "src/base/err.h"
#include "symbols/dwarf.h"
#include "symbols/symtab.h"

struct elf_image;

// The bytes are borrowed; libelf writes to the headers of sections that it unpacks.
struct err *elf_image_open(uint8_t *bytes, size_t n, struct elf_image **out);
void elf_image_close(struct elf_image *e); // NULL is fine

bool elf_image_is64(const struct elf_image *e);
// The bytes of a section, unpacked if it is compressed, and where it is linked. False if there is
// none, or if it can't be unpacked.
bool elf_image_section(struct elf_image *e, const char *name, struct dwarf_section *out,
		       uint64_t *va);
// .symtab; NULL if it is stripped.
struct symtab *elf_image_symbols(struct elf_image *e);
// In hexadecimal, mem_free() it; NULL if there is none.
char *elf_image_build_id(struct elf_image *e);

#endif
