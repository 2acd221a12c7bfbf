// SPDX-License-Identifier: LGPL-2.1-or-later
// vmlinux: types from its DWARF or else its BTF, symbols from its .symtab or else its kallsyms.
#include "src/symfiles/convert.h"

#include "src/base/mem.h"
#include "src/base/scope.h"
#include "src/symfiles/elf_image.h"
#include "symbols/btf.h"
#include "symbols/kallsyms.h"

#include <string.h>

static const char BANNER[] = "Linux version ";

enum { BANNER_MOST = 512 };

// --- types ---

static bool load_dwarf(struct elf_image *e, struct dwarf_sections *s)
{
	uint64_t va;

	*s = (struct dwarf_sections){.is64 = elf_image_is64(e)};
	(void)elf_image_section(e, ".debug_str", &s->str, &va);
	(void)elf_image_section(e, ".debug_line_str", &s->line_str, &va);
	(void)elf_image_section(e, ".debug_str_offsets", &s->str_offsets, &va);
	return elf_image_section(e, ".debug_info", &s->info, &va) &&
	       elf_image_section(e, ".debug_abbrev", &s->abbrev, &va);
}

static struct err *take_blob(struct btf_writer *w, struct profile *p)
{
	size_t n;
	uint8_t *blob = btf_write_end(w, &n);

	if (!blob)
		return err_new(ERR_LIMIT, "its types are too many");
	return profile_set_btf(p, blob, n);
}

static struct err *types_of_dwarf(const struct dwarf_sections *s, const struct type_wants *wants,
				  struct profile *p)
{
	struct wanted wanted;
	struct btf_writer w = {0};
	struct dwarf_found found;

	wanted_init(&wanted, wants);
	struct err *e = dwarf_to_btf(s, &wanted, &w, &found);
	wanted_fini(&wanted);
	if (!e)
		e = take_blob(&w, p);
	btf_write_fini(&w);
	if (!e)
		p->types_source = mem_strdup("DWARF");
	return e;
}

static struct err *types_of(struct elf_image *e, const struct type_wants *wants, struct profile *p)
{
	struct dwarf_sections s;
	struct dwarf_section btf;
	uint64_t va;
	bool has_dwarf = load_dwarf(e, &s), has_btf = elf_image_section(e, ".BTF", &btf, &va);

	if (has_dwarf && (dwarf_library() || !has_btf))
		return types_of_dwarf(&s, wants, p);
	return has_btf ? convert_btf(btf.at, btf.n, p) : NULL;
}

// --- symbols ---

static struct symtab *copy_kallsyms(const struct kallsyms *ks)
{
	struct symtab *t = symtab_new();
	char name[KALLSYMS_NAME], type;
	uint64_t va;

	for (uint32_t i = 0; i < kallsyms_count(ks); i++)
		if (kallsyms_at(ks, i, name, sizeof(name), &va, &type))
			(void)symtab_add(t, name, strlen(name), va, type);
	symtab_sort(t);
	return t;
}

static void symbols_of(struct elf_image *e, const struct dwarf_section *rodata, uint64_t va,
		       struct profile *p)
{
	struct kallsyms *ks;

	p->symbols = elf_image_symbols(e);
	if (p->symbols) {
		p->symbols_source = mem_strdup(".symtab");
	} else if (rodata->n && !kallsyms_open(rodata->at, rodata->n, KALLSYMS_UNKNOWN,
					       elf_image_is64(e) ? 8 : 4, &ks)) {
		kallsyms_rebase(ks, va);
		p->symbols = copy_kallsyms(ks);
		p->symbols_source = mem_strdup("kallsyms");
		kallsyms_close(ks);
	}
}

// --- identity ---

// linux_banner where the symbol says, or else the first text like it.
static char *banner_in(const struct dwarf_section *rodata, uint64_t rodata_va,
		       const struct symtab *t)
{
	uint64_t va;
	const uint8_t *at = rodata->at, *end = rodata->at + rodata->n;

	if (t && symtab_find(t, "linux_banner", &va) && va >= rodata_va &&
	    va - rodata_va < rodata->n)
		at += va - rodata_va;
	while (at && (at = memmem(at, (size_t)(end - at), BANNER, sizeof(BANNER) - 1))) {
		size_t left = (size_t)(end - at);
		const uint8_t *newline = memchr(at, '\n', left < BANNER_MOST ? left : BANNER_MOST);
		if (newline && !memchr(at, '\0', (size_t)(newline - at)) &&
		    memchr(at, '#', (size_t)(newline - at)))
			return mem_printf("%.*s", (int)(newline - at), (const char *)at);
		at++;
	}
	return NULL;
}

struct err *convert_elf(uint8_t *bytes, size_t n, const struct type_wants *wants, struct profile *p)
{
	struct elf_image *e;
	struct dwarf_section rodata;
	uint64_t va = 0;

	TRY(elf_image_open(bytes, n, &e));
	(void)elf_image_section(e, ".rodata", &rodata, &va);
	p->build_id = elf_image_build_id(e);
	symbols_of(e, &rodata, va, p);
	if (rodata.n)
		p->banner = banner_in(&rodata, va, p->symbols);
	struct err *err = p->banner || p->build_id
				  ? types_of(e, wants, p)
				  : err_new(ERR_FORMAT, "it is no kernel: there is neither "
							"linux_banner nor a build id in it");
	elf_image_close(e);
	return err;
}
