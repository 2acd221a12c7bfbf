// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF cores that tests write in memory, with each peculiarity of a real writer on request.
#ifndef VMI_TESTS_ELF_BUILD_H
#define VMI_TESTS_ELF_BUILD_H

#include "tests/unit/mem_io.h"

#include <elf.h>

// Headers first, then the data that was added, at unaligned offsets as QEMU does.
struct elf_build {
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdrs;
	size_t n, cap;
	struct blob data, notes;
};

void elf_build_init(struct elf_build *b);
void elf_build_fini(struct elf_build *b);

// A header as it is; the offset counts from the start of the data.
void elf_add(struct elf_build *b, Elf64_Phdr p);
// A PT_LOAD with noise of its physical address as bytes.
void elf_load(struct elf_build *b, uint64_t pa, uint64_t size);
void elf_note(struct elf_build *b, const char *name, size_t name_size, uint32_t type,
	      const void *desc, size_t desc_size);
// The registers of vCPU n as QEMU notes them: each field is n * 1000 + its offset.
void elf_qemu_notes(struct elf_build *b, unsigned n, uint32_t size);

// The file. More than 65534 headers are counted in section 0.
struct blob elf_write(const struct elf_build *b);
// The same as 32-bit ELF.
struct blob elf_write32(const struct elf_build *b);

#endif
