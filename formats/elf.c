// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF headers: one translation by libelf, one widening of 32-bit structs, bounded tables.
#include "formats/elf.h"

#include "src/base/mem.h"
#include "src/base/scope.h"

#include <string.h>

enum {
	MAX_SECTIONS_SEARCHED = 256,
	MAX_SECTION_NAME = 32,
};

// Any of the structs of either class.
union raw_header {
	Elf32_Ehdr e32;
	Elf64_Ehdr e64;
	Elf32_Phdr p32;
	Elf64_Phdr p64;
	Elf32_Shdr s32;
	Elf64_Shdr s64;
	uint8_t bytes[64];
};

static struct err *translate(bool is64, Elf_Type type, size_t n, const void *from,
			     union raw_header *to)
{
	union raw_header copy;

	memcpy(copy.bytes, from, n);
	Elf_Data src = {.d_buf = &copy, .d_type = type, .d_version = EV_CURRENT, .d_size = n};
	Elf_Data dst = {.d_buf = to, .d_type = type, .d_version = EV_CURRENT, .d_size = n};
	if (elf_version(EV_CURRENT) == EV_NONE || !(is64 ? elf64_xlatetom(&dst, &src, ELFDATA2LSB)
							 : elf32_xlatetom(&dst, &src, ELFDATA2LSB)))
		return err_new(ERR_INTERNAL, "libelf: %s", elf_errmsg(-1));
	return NULL;
}

static Elf64_Ehdr wide_ehdr(const Elf32_Ehdr *e)
{
	Elf64_Ehdr w = {
		.e_type = e->e_type,
		.e_machine = e->e_machine,
		.e_version = e->e_version,
		.e_entry = e->e_entry,
		.e_phoff = e->e_phoff,
		.e_shoff = e->e_shoff,
		.e_flags = e->e_flags,
		.e_ehsize = e->e_ehsize,
		.e_phentsize = e->e_phentsize,
		.e_phnum = e->e_phnum,
		.e_shentsize = e->e_shentsize,
		.e_shnum = e->e_shnum,
		.e_shstrndx = e->e_shstrndx,
	};

	memcpy(w.e_ident, e->e_ident, EI_NIDENT);
	return w;
}

static Elf64_Phdr wide_phdr(const Elf32_Phdr *p)
{
	return (Elf64_Phdr){
		.p_type = p->p_type,
		.p_flags = p->p_flags,
		.p_offset = p->p_offset,
		.p_vaddr = p->p_vaddr,
		.p_paddr = p->p_paddr,
		.p_filesz = p->p_filesz,
		.p_memsz = p->p_memsz,
		.p_align = p->p_align,
	};
}

static Elf64_Shdr wide_shdr(const Elf32_Shdr *s)
{
	return (Elf64_Shdr){
		.sh_name = s->sh_name,
		.sh_type = s->sh_type,
		.sh_flags = s->sh_flags,
		.sh_addr = s->sh_addr,
		.sh_offset = s->sh_offset,
		.sh_size = s->sh_size,
		.sh_link = s->sh_link,
		.sh_info = s->sh_info,
		.sh_addralign = s->sh_addralign,
		.sh_entsize = s->sh_entsize,
	};
}

static size_t phdr_size(const struct elf_file *f)
{
	return f->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static size_t shdr_size(const struct elf_file *f)
{
	return f->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

// Raw entries [first, first + n) of a table into buf, as many whole ones as there are.
static struct err *read_table(const struct elf_file *f, uint64_t table, uint64_t first,
			      size_t entry, void *buf, size_t n, size_t *got)
{
	uint64_t off;

	*got = 0;
	if (__builtin_mul_overflow(first, entry, &off) || __builtin_add_overflow(off, table, &off))
		return NULL;
	TRY(io_read(f->io, off, buf, n * entry, got));
	*got /= entry;
	return NULL;
}

struct err *elf_phdrs(const struct elf_file *f, uint64_t first, Elf64_Phdr *out, size_t n,
		      size_t *got)
{
	size_t entry = phdr_size(f);
	_cleanup_free_ uint8_t *buf = mem_alloc(n * entry);
	union raw_header h;

	TRY(read_table(f, f->ehdr.e_phoff, first, entry, buf, n, got));
	for (size_t i = 0; i < *got; i++) {
		TRY(translate(f->is64, ELF_T_PHDR, entry, buf + i * entry, &h));
		out[i] = f->is64 ? h.p64 : wide_phdr(&h.p32);
	}
	return NULL;
}

struct err *elf_shdrs(const struct elf_file *f, uint64_t first, Elf64_Shdr *out, size_t n,
		      size_t *got)
{
	size_t entry = shdr_size(f);
	_cleanup_free_ uint8_t *buf = mem_alloc(n * entry);
	union raw_header h;

	TRY(read_table(f, f->ehdr.e_shoff, first, entry, buf, n, got));
	for (size_t i = 0; i < *got; i++) {
		TRY(translate(f->is64, ELF_T_SHDR, entry, buf + i * entry, &h));
		out[i] = f->is64 ? h.s64 : wide_shdr(&h.s32);
	}
	return NULL;
}

static struct err *read_ehdr(struct elf_file *f)
{
	uint8_t raw[sizeof(Elf64_Ehdr)];
	union raw_header h;
	size_t got;

	TRY(io_read(f->io, 0, raw, sizeof(raw), &got));
	if (got < sizeof(raw))
		return err_new(ERR_FORMAT, "the ELF header is cut after %zu bytes", got);
	if (raw[EI_DATA] != ELFDATA2LSB)
		return err_new(ERR_UNSUPPORTED,
			       "an ELF file of a big-endian machine; only x86-64 guests are read");
	f->is64 = raw[EI_CLASS] == ELFCLASS64;
	if (!f->is64 && raw[EI_CLASS] != ELFCLASS32)
		return err_new(ERR_FORMAT, "the ELF header has class %u", raw[EI_CLASS]);
	TRY(translate(f->is64, ELF_T_EHDR, f->is64 ? sizeof(h.e64) : sizeof(h.e32), raw, &h));
	f->ehdr = f->is64 ? h.e64 : wide_ehdr(&h.e32);
	return NULL;
}

// Counts that do not fit their 16 bits are in section 0 (gABI, "Extended section header").
static struct err *read_counts(struct elf_file *f)
{
	Elf64_Shdr zero;
	size_t got = 0;

	f->n_phdrs = f->ehdr.e_phnum;
	f->n_shdrs = f->ehdr.e_shnum;
	if (f->ehdr.e_shoff == 0 || (f->n_phdrs != PN_XNUM && f->n_shdrs != 0))
		return NULL;
	TRY(elf_shdrs(f, 0, &zero, 1, &got));
	if (got == 0 && f->n_phdrs == PN_XNUM)
		return err_new(ERR_FORMAT, "the number of program headers is in a section header "
					   "that the file does not have");
	if (got == 1 && f->n_phdrs == PN_XNUM)
		f->n_phdrs = zero.sh_info;
	if (got == 1 && f->n_shdrs == 0)
		f->n_shdrs = zero.sh_size;
	return NULL;
}

static struct err *check_entry_size(const char *what, uint64_t n, size_t is, size_t should)
{
	if (n == 0 || is == should)
		return NULL;
	return err_new(ERR_FORMAT, "its %s headers have %zu bytes, not %zu", what, is, should);
}

struct err *elf_open(struct io *io, struct elf_file *out)
{
	*out = (struct elf_file){.io = io};
	TRY(read_ehdr(out));
	TRY(read_counts(out));
	return check_entry_size("program", out->n_phdrs, out->ehdr.e_phentsize, phdr_size(out));
}

static bool name_is(const struct elf_file *f, const Elf64_Shdr *strings, uint32_t at,
		    const char *name)
{
	char buf[MAX_SECTION_NAME] = {0};
	size_t n = strlen(name) + 1, got = 0;
	uint64_t off;

	if (n > sizeof(buf) || at >= strings->sh_size ||
	    __builtin_add_overflow(strings->sh_offset, at, &off))
		return false;
	return !io_read(f->io, off, buf, n, &got) && got == n && memcmp(buf, name, n) == 0;
}

bool elf_section(const struct elf_file *f, const char *name, Elf64_Shdr *out)
{
	Elf64_Shdr s[MAX_SECTIONS_SEARCHED];
	size_t n = f->n_shdrs < MAX_SECTIONS_SEARCHED ? (size_t)f->n_shdrs : MAX_SECTIONS_SEARCHED;
	size_t got = 0;

	if (f->ehdr.e_shentsize != shdr_size(f) || elf_shdrs(f, 0, s, n, &got))
		return false;
	if (f->ehdr.e_shstrndx >= got)
		return false;
	for (size_t i = 1; i < got; i++)
		if (name_is(f, &s[f->ehdr.e_shstrndx], s[i].sh_name, name)) {
			*out = s[i];
			return true;
		}
	return false;
}
