// SPDX-License-Identifier: LGPL-2.1-or-later
// Sections by name, .symtab as nm prints it, the build id out of the notes.
#include "src/symfiles/elf_image.h"

#include "src/base/mem.h"

#include <ctype.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>

enum { BUILD_ID_MOST = 64 };

struct elf_image {
	Elf *elf;
	size_t names; // the section of section names
};

struct err *elf_image_open(uint8_t *bytes, size_t n, struct elf_image **out)
{
	(void)elf_version(EV_CURRENT);
	Elf *elf = elf_memory((char *)bytes, n);
	GElf_Ehdr head;
	size_t names;

	if (!elf || !gelf_getehdr(elf, &head) || elf_getshdrstrndx(elf, &names) != 0) {
		const char *why = elf_errmsg(-1);
		struct err *e = err_new(ERR_FORMAT, "ELF: %s", why ? why : "broken");
		(void)elf_end(elf);
		return e;
	}
	if (head.e_ident[EI_DATA] != ELFDATA2LSB) {
		(void)elf_end(elf);
		return err_new(ERR_UNSUPPORTED, "ELF: big-endian");
	}
	*out = mem_zalloc(1, sizeof(**out));
	**out = (struct elf_image){elf, names};
	return NULL;
}

void elf_image_close(struct elf_image *e)
{
	if (!e)
		return;
	(void)elf_end(e->elf);
	mem_free(e);
}

bool elf_image_is64(const struct elf_image *e)
{
	return gelf_getclass(e->elf) == ELFCLASS64;
}

// --- sections ---

// Whether a section has this name; compressed the old way it has a z in it.
static bool is_named(const struct elf_image *e, const GElf_Shdr *h, const char *name, bool *old)
{
	const char *its = elf_strptr(e->elf, e->names, h->sh_name);

	*old = its && strncmp(its, ".z", 2) == 0 && strcmp(its + 2, name + 1) == 0;
	return *old || (its && strcmp(its, name) == 0);
}

static bool unpack(Elf_Scn *s, const GElf_Shdr *h, bool old)
{
	if (old)
		return elf_compress_gnu(s, 0, 0) >= 0;
	return !(h->sh_flags & SHF_COMPRESSED) || elf_compress(s, 0, 0) >= 0;
}

bool elf_image_section(struct elf_image *e, const char *name, struct dwarf_section *out,
		       uint64_t *va)
{
	Elf_Scn *s = NULL;
	GElf_Shdr h;
	bool old;

	*out = (struct dwarf_section){0};
	while ((s = elf_nextscn(e->elf, s))) {
		if (!gelf_getshdr(s, &h) || h.sh_type == SHT_NOBITS || !is_named(e, &h, name, &old))
			continue;
		const Elf_Data *d = unpack(s, &h, old) ? elf_rawdata(s, NULL) : NULL;
		if (!d || !d->d_buf)
			return false;
		*out = (struct dwarf_section){d->d_buf, d->d_size};
		*va = h.sh_addr;
		return true;
	}
	return false;
}

// --- symbols ---

static char letter_of_section(const GElf_Shdr *h)
{
	if (h->sh_flags & SHF_EXECINSTR)
		return 'T';
	if (h->sh_type == SHT_NOBITS)
		return 'B';
	return h->sh_flags & SHF_WRITE ? 'D' : 'R';
}

static char letter(const struct elf_image *e, const GElf_Sym *sym)
{
	GElf_Shdr h;
	Elf_Scn *s = sym->st_shndx < SHN_LORESERVE ? elf_getscn(e->elf, sym->st_shndx) : NULL;
	bool is_object = GELF_ST_TYPE(sym->st_info) == STT_OBJECT;
	char c = 'A';

	if (GELF_ST_BIND(sym->st_info) == STB_WEAK)
		return is_object ? 'V' : 'W';
	if (s && gelf_getshdr(s, &h))
		c = letter_of_section(&h);
	return (char)(GELF_ST_BIND(sym->st_info) == STB_LOCAL ? tolower(c) : c);
}

static void take_symbol(const struct elf_image *e, const GElf_Sym *sym, size_t strings,
			struct symtab *t)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	const char *name = elf_strptr(e->elf, strings, sym->st_name);

	if (name && sym->st_shndx != SHN_UNDEF && type != STT_FILE && type != STT_SECTION)
		(void)symtab_add(t, name, strlen(name), sym->st_value, letter(e, sym));
}

struct symtab *elf_image_symbols(struct elf_image *e)
{
	Elf_Scn *s = NULL;
	GElf_Shdr h;
	GElf_Sym sym;

	while ((s = elf_nextscn(e->elf, s)))
		if (gelf_getshdr(s, &h) && h.sh_type == SHT_SYMTAB)
			break;
	Elf_Data *d = s ? elf_getdata(s, NULL) : NULL;
	if (!d)
		return NULL;
	struct symtab *t = symtab_new();
	for (int i = 1; gelf_getsym(d, i, &sym); i++)
		take_symbol(e, &sym, h.sh_link, t);
	symtab_sort(t);
	return t;
}

// --- identity ---

static char *hexadecimal(const uint8_t *bytes, size_t n)
{
	char *hex = mem_zalloc(2 * n + 1, 1);

	for (size_t i = 0; i < n; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return hex;
}

static char *build_id_in(Elf_Data *d)
{
	GElf_Nhdr note;
	size_t name, desc;

	for (size_t at = 0; (at = gelf_getnote(d, at, &note, &name, &desc)) > 0;)
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp((const char *)d->d_buf + name, "GNU", 4) == 0 && note.n_descsz > 0 &&
		    note.n_descsz <= BUILD_ID_MOST)
			return hexadecimal((const uint8_t *)d->d_buf + desc, note.n_descsz);
	return NULL;
}

char *elf_image_build_id(struct elf_image *e)
{
	Elf_Scn *s = NULL;
	GElf_Shdr h;
	char *id = NULL;

	while (!id && (s = elf_nextscn(e->elf, s))) {
		if (!gelf_getshdr(s, &h) || h.sh_type != SHT_NOTE)
			continue;
		Elf_Data *d = elf_getdata(s, NULL);
		id = d && d->d_buf ? build_id_in(d) : NULL;
	}
	return id;
}
