// SPDX-License-Identifier: LGPL-2.1-or-later
// libdwarf over sections in memory. It gets no file and no relocations, and only the sections that
// tell of types.
#include "symbols/dwarf.h"

#ifdef HAVE_DWARF
#include "symbols/dwarf_impl.h"

#include <string.h>

enum { SECTIONS = 6 }; // the first is ELF's empty one

struct dwarf_file {
	Dwarf_Obj_Access_Interface access;
	struct {
		const char *name;
		struct dwarf_section bytes;
	} section[SECTIONS];
	bool is64;
	Dwarf_Debug dbg;
};

// --- what libdwarf asks of an object file ---

// Their pointers are as libdwarf declares them.
// NOLINTBEGIN(readability-non-const-parameter)
static int section_info(void *obj, Dwarf_Half i, Dwarf_Obj_Access_Section *out, int *error)
{
	const struct dwarf_file *f = obj;

	(void)error;
	if (i >= SECTIONS)
		return DW_DLV_NO_ENTRY;
	*out = (Dwarf_Obj_Access_Section){.name = f->section[i].name,
					  .size = f->section[i].bytes.n,
					  .entrysize = 0,
					  .type = i ? 1 : 0}; // SHT_PROGBITS
	return DW_DLV_OK;
}

static int load_section(void *obj, Dwarf_Half i, Dwarf_Small **data, int *error)
{
	const struct dwarf_file *f = obj;

	(void)error;
	if (i >= SECTIONS || !f->section[i].bytes.n)
		return DW_DLV_NO_ENTRY;
	*data = (Dwarf_Small *)(uintptr_t)f->section[i].bytes.at; // only read
	return DW_DLV_OK;
}

// NOLINTEND(readability-non-const-parameter)

static Dwarf_Endianness byte_order(void *obj)
{
	(void)obj;
	return DW_OBJECT_LSB;
}

static Dwarf_Small word_size(void *obj)
{
	return ((const struct dwarf_file *)obj)->is64 ? 8 : 4;
}

static Dwarf_Unsigned section_count(void *obj)
{
	(void)obj;
	return SECTIONS;
}

static const Dwarf_Obj_Access_Methods methods = {
	.get_section_info = section_info,
	.get_byte_order = byte_order,
	.get_length_size = word_size,
	.get_pointer_size = word_size,
	.get_section_count = section_count,
	.load_section = load_section,
};

const char *dwarf_library(void)
{
	return dwarf_package_version();
}

struct err *dwarf_file_open(const struct dwarf_sections *s, struct dwarf_file **out)
{
	struct dwarf_file *f = mem_zalloc(1, sizeof(*f));
	Dwarf_Error error = NULL;

	*f = (struct dwarf_file){
		.access = {f, &methods},
		.section = {{"", {NULL, 0}},
			    {".debug_info", s->info},
			    {".debug_abbrev", s->abbrev},
			    {".debug_str", s->str},
			    {".debug_line_str", s->line_str},
			    {".debug_str_offsets", s->str_offsets}},
		.is64 = s->is64,
	};
	(void)dwarf_set_de_alloc_flag(0); // every entry is given back by us
	if (dwarf_object_init_b(&f->access, NULL, NULL, DW_GROUPNUMBER_ANY, &f->dbg, &error) !=
	    DW_DLV_OK) {
		mem_free(f);
		return err_new(ERR_FORMAT, "libdwarf finds no DWARF in it: %s",
			       error ? dwarf_errmsg(error) : "there is none");
	}
	*out = f;
	return NULL;
}

void dwarf_file_close(struct dwarf_file *f)
{
	Dwarf_Error error = NULL;

	(void)dwarf_object_finish(f->dbg, &error);
	mem_free(f);
}

// --- entries ---

// Pointers, because what they point to is written by the call that gives the result.
static int dropped(struct dwarf_file *f, int result, const Dwarf_Error *error)
{
	if (result == DW_DLV_ERROR)
		dwarf_dealloc(f->dbg, *error, DW_DLA_ERROR);
	return result;
}

static struct dwarf_entry entry_of(struct dwarf_file *f, int result, const Dwarf_Die *die)
{
	struct dwarf_entry e = {.file = f};
	Dwarf_Error error = NULL;

	if (result != DW_DLV_OK)
		return e;
	e.die = *die;
	if (dropped(f, dwarf_tag(*die, &e.tag, &error), &error) != DW_DLV_OK)
		dwarf_entry_fini(&e);
	return e;
}

struct dwarf_entry dwarf_entry_at(struct dwarf_file *f, uint64_t off)
{
	Dwarf_Error error = NULL;
	Dwarf_Die die = NULL;

	return entry_of(f, dropped(f, dwarf_offdie_b(f->dbg, off, true, &die, &error), &error),
			&die);
}

struct dwarf_entry dwarf_entry_child(const struct dwarf_entry *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Die die = NULL;

	return entry_of(e->file, dropped(e->file, dwarf_child(e->die, &die, &error), &error), &die);
}

void dwarf_entry_next(struct dwarf_entry *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Die die = NULL;
	int r = dropped(e->file, dwarf_siblingof_b(e->file->dbg, e->die, true, &die, &error),
			&error);
	struct dwarf_entry next = entry_of(e->file, r, &die);

	dwarf_entry_fini(e);
	*e = next;
}

void dwarf_entry_fini(struct dwarf_entry *e)
{
	if (e->die)
		dwarf_dealloc(e->file->dbg, e->die, DW_DLA_DIE);
	e->die = NULL;
}

uint64_t dwarf_entry_offset(const struct dwarf_entry *e)
{
	Dwarf_Error error = NULL;
	Dwarf_Off off = 0;

	(void)dropped(e->file, dwarf_dieoffset(e->die, &off, &error), &error);
	return off;
}

// --- attributes ---

static Dwarf_Attribute attribute_of(const struct dwarf_entry *e, Dwarf_Half attribute)
{
	Dwarf_Error error = NULL;
	Dwarf_Attribute a = NULL;

	if (dropped(e->file, dwarf_attr(e->die, attribute, &a, &error), &error) != DW_DLV_OK)
		return NULL;
	return a;
}

bool dwarf_entry_has(const struct dwarf_entry *e, Dwarf_Half attribute)
{
	Dwarf_Error error = NULL;
	Dwarf_Bool has = false;

	return dropped(e->file, dwarf_hasattr(e->die, attribute, &has, &error), &error) ==
		       DW_DLV_OK &&
	       has;
}

const char *dwarf_entry_name(const struct dwarf_entry *e)
{
	Dwarf_Error error = NULL;
	char *name = NULL;

	if (dropped(e->file, dwarf_diename(e->die, &name, &error), &error) != DW_DLV_OK)
		return NULL;
	return name;
}

bool dwarf_entry_number(const struct dwarf_entry *e, Dwarf_Half attribute, uint64_t *v)
{
	Dwarf_Attribute a = attribute_of(e, attribute);
	Dwarf_Error error = NULL;
	Dwarf_Unsigned plain;
	Dwarf_Signed with_sign;
	bool known = true;

	if (!a)
		return false;
	if (dropped(e->file, dwarf_formudata(a, &plain, &error), &error) == DW_DLV_OK)
		*v = plain;
	else if (dropped(e->file, dwarf_formsdata(a, &with_sign, &error), &error) == DW_DLV_OK)
		*v = (uint64_t)with_sign;
	else
		known = false;
	dwarf_dealloc(e->file->dbg, a, DW_DLA_ATTR);
	return known;
}

struct dwarf_entry dwarf_entry_type(const struct dwarf_entry *e)
{
	Dwarf_Attribute a = attribute_of(e, DW_AT_type);
	Dwarf_Error error = NULL;
	Dwarf_Off off = 0;

	if (!a)
		return (struct dwarf_entry){.file = e->file};
	int r = dropped(e->file, dwarf_global_formref(a, &off, &error), &error);
	dwarf_dealloc(e->file->dbg, a, DW_DLA_ATTR);
	return r == DW_DLV_OK ? dwarf_entry_at(e->file, off)
			      : (struct dwarf_entry){.file = e->file};
}
#endif
