// SPDX-License-Identifier: LGPL-2.1-or-later
// What the kernel keeps of its boot: command line, firmware's memory map and DMI, VMCOREINFO, and
// how it laid out its address space.
#include "src/kernel/deduce.h"

#include "src/base/bytes.h"
#include "src/kernel/locate.h"

#include <ctype.h>
#include <string.h>

enum {
	COMMAND_LINE_MOST = 2048, // COMMAND_LINE_SIZE of x86
	COMMAND_LINE_ALIGN = 32,  // at least; SMP_CACHE_BYTES
	LINE_TRIES = 1 << 19,
	E820_MOST = 4096,
	DATE_LEN = 8, // "01/01/70", or with four digits for the year
	MAP_ALIGN = 1 << 30,
};

// --- the command line ---

// A text of printable characters that ends; its length, or 0.
static size_t read_line(struct kernel *k, uint64_t va, char *line)
{
	enum as_fault why;
	size_t n = aspace_read_some(&k->as, va, line, COMMAND_LINE_MOST, &why);
	size_t len = strnlen(line, n);

	for (size_t i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return 0;
	return len < n ? len : 0;
}

// Whether `parsed` is the copy of a line in which parse_args() (kernel/params.c) ended each word.
// What is in a word may have moved (repair_env_string(), init/main.c), where words begin has not.
static bool is_parsed_copy(const char *line, const char *parsed, size_t n)
{
	bool quoted = false, starts = true;

	for (size_t i = 0; i < n; i++) {
		if (starts && (line[i] != parsed[i] || (i > 0 && parsed[i - 1] != '\0')))
			return false;
		quoted = quoted != (line[i] == '"');
		starts = line[i] == ' ' && !quoted && line[i + 1] != ' ';
	}
	return parsed[n] == '\0';
}

// setup_command_line() (init/main.c) allocates the saved line, then below it the copy that is taken
// apart; memblock hands out memory from the top.
static bool has_parsed_copy(struct kernel *k, uint64_t va, const char *line, size_t n)
{
	static char parsed[COMMAND_LINE_MOST];

	for (uint64_t align = COMMAND_LINE_ALIGN; align <= UINT64_C(4) * COMMAND_LINE_ALIGN;
	     align *= 2) {
		uint64_t copy = va - (n + align) / align * align;
		if (k_read(k, copy, parsed, n + 1) && is_parsed_copy(line, parsed, n))
			return true;
	}
	return false;
}

void see_command_line(struct deduction *d, const struct word *w)
{
	static char line[COMMAND_LINE_MOST];

	if (!deduce_is_direct(d, w->value) || w->value % COMMAND_LINE_ALIGN != 0 ||
	    d->line_tries >= LINE_TRIES)
		return;
	d->line_tries++;
	size_t n = read_line(d->k, w->value, line);
	if (n <= d->command_line_n || !has_parsed_copy(d->k, w->value, line, n))
		return;
	d->command_line_n = n;
	d->k->symbol[S(saved_command_line)] = w->at;
}

// --- the firmware's tables ---

static bool is_e820(struct kernel *k, uint64_t table, uint64_t n)
{
	uint64_t entry = k_field_va(k, table, F(e820_table, entries)), end = 0;

	for (uint64_t i = 0; i < n; i++, entry += k_sizeof(k, "e820_entry")) {
		uint64_t addr, size, type;
		if (!k_get(k, entry, F(e820_entry, addr), &addr) ||
		    !k_get(k, entry, F(e820_entry, size), &size) ||
		    !k_get(k, entry, F(e820_entry, type), &type) || addr < end || size == 0 ||
		    addr + size < addr || type == 0 || (i == 0 && (addr != 0 || type != 1)))
			return false;
		end = addr + size;
	}
	return n > 1;
}

// A pointer to sorted ranges, the first of which is RAM from 0 on.
void see_e820_table(struct deduction *d, const struct word *w)
{
	uint64_t n;

	if (d->k->symbol[S(e820_table)] || !deduce_is_direct(d, w->value) || w->value % 8 != 0 ||
	    !k_get(d->k, w->value, F(e820_table, nr_entries), &n) || n == 0 || n > E820_MOST ||
	    !k_sizeof(d->k, "e820_entry") || !is_e820(d->k, w->value, n))
		return;
	deduce_set(d, S(e820_table), w->at);
}

static bool is_date(const char *text)
{
	for (size_t i = 0; i < DATE_LEN; i++)
		if (i % 3 == 2 ? text[i] != '/' : !isdigit((unsigned char)text[i]))
			return false;
	return true;
}

// dmi_ident[] (drivers/firmware/dmi_scan.c), by the date of the firmware in it.
void see_dmi(struct deduction *d, const struct word *w)
{
	uint64_t none;
	char text[DATE_LEN];

	if (!w->part->writable || d->dmi_date <= 0 || d->k->symbol[S(dmi_ident)] ||
	    !word_near(w, -8 * d->dmi_date, &none) || none != 0 ||
	    !k_read(d->k, w->value, text, sizeof(text)) || !is_date(text))
		return;
	deduce_set(d, S(dmi_ident), w->at - (uint64_t)d->dmi_date * 8);
}

void see_vmcoreinfo(struct deduction *d, const struct word *w)
{
	static const char head[] = "OSRELEASE=";
	char text[sizeof(head) - 1];

	if (w->value % PAGE_SIZE == 0 && deduce_is_direct(d, w->value) &&
	    k_read(d->k, w->value, text, sizeof(text)) && memcmp(text, head, sizeof(text)) == 0)
		deduce_set(d, S(vmcoreinfo_data), w->at);
}

// --- the address space ---

static bool is_base(const struct deduction *d, uint64_t va)
{
	return va > d->k->page_offset && va % MAP_ALIGN == 0 && k_plausible(d->k, va) &&
	       va < KERNEL_IMAGE_BASE;
}

// page_offset_base, vmalloc_base and vmemmap_base lie side by side (arch/x86/kernel/head64.c); what
// they are bases of does, too, in this order (arch/x86/mm/kaslr.c).
void see_map_bases(struct deduction *d, const struct word *w)
{
	uint64_t a, b;

	if (w->value != d->k->page_offset)
		return;
	for (int64_t first = -16; first <= 8; first += first == -16 ? 8 : 16) {
		int64_t second = first == -16 ? -8 : first == -8 ? 8 : 16;
		if (word_near(w, first, &a) && word_near(w, second, &b) && is_base(d, a) &&
		    is_base(d, b) && a != b)
			deduce_set(d, S(vmemmap_base), w->at + (uint64_t)(a > b ? first : second));
	}
}

// The tables of init_mm, which alone lie in the image: those that map what a process's map.
void deduce_page_tables(struct deduction *d)
{
	struct aspace before = d->k->as;
	uint8_t top[8];
	const struct image_part *p;

	if (d->k->symbol[S(init_top_pgt)] ||
	    !physmem_read(d->k->mem, before.root_pa + PAGE_SIZE - 8, top, sizeof(top)))
		return;
	vec_foreach (p, &d->parts)
		for (size_t off = 0; off + PAGE_SIZE <= p->n; off += PAGE_SIZE) {
			uint64_t va = p->va + off;
			if (!p->writable || memcmp(p->bytes + off + PAGE_SIZE - 8, top, 8) != 0)
				continue;
			if (roots_try(d->k, k_image_pa(d->k, va)))
				deduce_set(d, S(init_top_pgt), va);
			d->k->as = before;
		}
}

// --- the vsyscall page: arch/x86/entry/vsyscall/vsyscall_64.c ---

enum { EMULATE, XONLY, NONE }; // vsyscall_mode
#define VSYSCALL_ADDR 0xffffffffff600000ULL
#define VM_READ	      1ULL

void see_gate_vma(struct deduction *d, const struct word *w)
{
	const struct field_place *start = &d->k->field[F(vm_area_struct, vm_start)];
	const struct field_place *end = &d->k->field[F(vm_area_struct, vm_end)];
	uint64_t v;

	if (w->value == VSYSCALL_ADDR && word_near(w, (int64_t)end->off - start->off, &v) &&
	    v == VSYSCALL_ADDR + PAGE_SIZE)
		deduce_set(d, S(gate_vma), w->at - start->off);
}

// Only what is emulated by reading is mapped, and only what is not read at all has lost VM_READ.
void deduce_vsyscall(struct deduction *d)
{
	uint64_t flags, pa;

	if (!d->k->symbol[S(gate_vma)] ||
	    !k_get(d->k, d->k->symbol[S(gate_vma)], F(vm_area_struct, vm_flags), &flags))
		return;
	if (!(flags & VM_READ))
		deduce_value(d, S(vsyscall_mode), XONLY);
	else if (aspace_translate(&d->k->as, VSYSCALL_ADDR, &pa) == AS_OK)
		deduce_value(d, S(vsyscall_mode), EMULATE);
	else
		deduce_value(d, S(vsyscall_mode), NONE);
}
