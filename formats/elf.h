// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF headers as 64-bit structs, whatever the file's class, read through an io.
//
// libelf translates each header from the file's form (elf64_xlatetom); no Elf handle is opened on
// the file, because the file may be a decompressed view without a descriptor, and because
// elf_begin() has opinions where QEMU (e_ehsize 8) and VirtualBox (EI_VERSION 0) have others.
#ifndef VMI_FORMATS_ELF_H
#define VMI_FORMATS_ELF_H

#include "src/phys/io.h"

#include <libelf.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file {
	struct io *io;
	bool is64;
	Elf64_Ehdr ehdr;
	uint64_t n_phdrs; // with more than 65534 the count is elsewhere; this is the true one
	uint64_t n_shdrs;
};

struct err *elf_open(struct io *io, struct elf_file *out);

// Headers [first, first + n); fewer where the file ends.
struct err *elf_phdrs(const struct elf_file *f, uint64_t first, Elf64_Phdr *out, size_t n,
		      size_t *got);
struct err *elf_shdrs(const struct elf_file *f, uint64_t first, Elf64_Shdr *out, size_t n,
		      size_t *got);

// The first section of this name, among the first few hundred.
bool elf_section(const struct elf_file *f, const char *name, Elf64_Shdr *out);

#endif
