// SPDX-License-Identifier: LGPL-2.1-or-later
// The writer of ELF cores.
#include "tests/unit/elf_build.h"

#include "src/base/mem.h"

#include <string.h>

void elf_build_init(struct elf_build *b)
{
	*b = (struct elf_build){.ehdr = {
					.e_type = ET_CORE,
					.e_machine = EM_X86_64,
					.e_version = EV_CURRENT,
					.e_ehsize = 8, // QEMU writes the size of a pointer
					.e_phentsize = sizeof(Elf64_Phdr),
					.e_shentsize = sizeof(Elf64_Shdr),
				}};
	memcpy(b->ehdr.e_ident,
	       "\x7f"
	       "ELF\2\1\1",
	       7);
}

void elf_build_fini(struct elf_build *b)
{
	mem_free(b->phdrs);
	blob_fini(&b->data);
	blob_fini(&b->notes);
}

void elf_add(struct elf_build *b, Elf64_Phdr p)
{
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 16;
		b->phdrs = mem_grow(b->phdrs, b->cap, sizeof(*b->phdrs));
	}
	b->phdrs[b->n++] = p;
}

void elf_load(struct elf_build *b, uint64_t pa, uint64_t size)
{
	uint8_t *bytes = mem_alloc(size);

	noise_fill(pa, bytes, size);
	elf_add(b, (Elf64_Phdr){.p_type = PT_LOAD,
				.p_offset = b->data.n,
				.p_vaddr = pa,
				.p_paddr = pa,
				.p_filesz = size,
				.p_memsz = size});
	blob_append(&b->data, bytes, size);
	mem_free(bytes);
}

static void pad4(struct blob *b)
{
	blob_append(b, "\0\0\0", -b->n & 3);
}

void elf_note(struct elf_build *b, const char *name, size_t name_size, uint32_t type,
	      const void *desc, size_t desc_size)
{
	Elf64_Nhdr h = {(uint32_t)name_size, (uint32_t)desc_size, type};

	blob_append(&b->notes, &h, sizeof(h));
	blob_append(&b->notes, name, name_size);
	pad4(&b->notes);
	blob_append(&b->notes, desc, desc_size);
	pad4(&b->notes);
}

void elf_qemu_notes(struct elf_build *b, unsigned n, uint32_t size)
{
	uint64_t desc[55], prstatus[42] = {0};

	for (size_t i = 0; i < 55; i++)
		desc[i] = n * UINT64_C(1000) + i * 8;
	desc[0] = 1 | (uint64_t)size << 32;
	elf_note(b, "CORE", 5, NT_PRSTATUS, prstatus, sizeof(prstatus));
	elf_note(b, "QEMU", 5, 0, desc, size);
}

static void put_phdr(struct blob *out, size_t at, const Elf64_Phdr *p, bool is64)
{
	Elf32_Phdr p32 = {
		.p_type = p->p_type,
		.p_offset = (uint32_t)p->p_offset,
		.p_paddr = (uint32_t)p->p_paddr,
		.p_filesz = (uint32_t)p->p_filesz,
		.p_memsz = (uint32_t)p->p_memsz,
	};

	if (is64)
		blob_put(out, at, p, sizeof(*p));
	else
		blob_put(out, at, &p32, sizeof(p32));
}

static void put_ehdr(struct blob *out, const Elf64_Ehdr *e, bool is64)
{
	Elf32_Ehdr e32 = {
		.e_type = e->e_type,
		.e_machine = EM_386,
		.e_version = e->e_version,
		.e_phoff = (uint32_t)e->e_phoff,
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = e->e_phnum,
	};

	memcpy(e32.e_ident, e->e_ident, EI_NIDENT);
	e32.e_ident[EI_CLASS] = ELFCLASS32;
	if (is64)
		blob_put(out, 0, e, sizeof(*e));
	else
		blob_put(out, 0, &e32, sizeof(e32));
}

// Ehdr, section 0 if the count needs it, note header, the other headers, notes, data.
static struct blob write_file(const struct elf_build *b, bool is64)
{
	struct blob out = {0};
	Elf64_Ehdr e = b->ehdr;
	size_t n = b->n + (b->notes.n > 0), entry = is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t at = sizeof(e) + sizeof(Elf64_Shdr), notes = at + n * entry;

	e.e_phoff = at;
	e.e_phnum = (uint16_t)(n < PN_XNUM ? n : PN_XNUM);
	if (n >= PN_XNUM) {
		Elf64_Shdr zero = {.sh_info = (uint32_t)n};
		e.e_shoff = sizeof(e);
		e.e_shnum = 1;
		blob_put(&out, sizeof(e), &zero, sizeof(zero));
	}
	put_ehdr(&out, &e, is64);
	if (b->notes.n > 0)
		put_phdr(
			&out, at,
			&(Elf64_Phdr){.p_type = PT_NOTE, .p_offset = notes, .p_filesz = b->notes.n},
			is64);
	at += b->notes.n > 0 ? entry : 0;
	for (size_t i = 0; i < b->n; i++, at += entry) {
		Elf64_Phdr p = b->phdrs[i];
		p.p_offset += p.p_offset == UINT64_MAX ? 0 : notes + b->notes.n;
		put_phdr(&out, at, &p, is64);
	}
	blob_put(&out, notes, b->notes.at, b->notes.n);
	blob_append(&out, b->data.at, b->data.n);
	return out;
}

struct blob elf_write(const struct elf_build *b)
{
	return write_file(b, true);
}

struct blob elf_write32(const struct elf_build *b)
{
	return write_file(b, false);
}
