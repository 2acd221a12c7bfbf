// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads the kernel's image and shows each word of it that can be a pointer to all recognisers.
#include "src/kernel/deduce.h"

#include "src/base/bytes.h"
#include "src/kernel/locate.h"

#include <string.h>

enum {
	IMAGE_MOST = 1 << 30,  // KERNEL_IMAGE_SIZE with RANDOMIZE_BASE
	DATA_MOST = 96 << 20,  // bytes of it that are read; Debian's kernels have some 40 MiB
	TABLES_MOST = 1 << 12, // page tables of the image
	IMAGE_BEFORE_RODATA = 64 << 20, // code
	HEAD_ALIGN = 2 << 20,		// MIN_KIMG_ALIGN, arch/arm64/include/asm/boot.h
};

// --- the image ---

static bool extends(const struct image_part *p, const struct as_page *page)
{
	return p->va + p->n == page->va && p->writable == page->writable;
}

struct gathering {
	struct deduction *d;
	size_t n; // bytes so far
};

static bool gather(void *arg, const struct as_page *page)
{
	struct gathering *g = arg;
	struct deduction *d = g->d;

	if (page->pa != k_image_pa(d->k, page->va))
		return true;
	d->start = d->start ? d->start : page->va;
	d->end = page->va + page->size;
	if (page->executable) {
		d->text = d->text ? d->text : page->va;
		return true;
	}
	g->n += page->size;
	if (g->n > DATA_MOST)
		return false;
	if (d->parts.n && extends(&d->parts.at[d->parts.n - 1], page))
		d->parts.at[d->parts.n - 1].n += page->size;
	else
		vec_push(&d->parts,
			 ((struct image_part){
				 .va = page->va, .n = page->size, .writable = page->writable}));
	return true;
}

static bool is_there(struct physmem *mem, uint64_t pa, size_t n)
{
	for (uint64_t at = pa; at < pa + n; at += PAGE_SIZE)
		if (physmem_state(mem, at) == MEM_ABSENT)
			return false;
	return true;
}

// Where the image may lie; other architectures than x86-64 put other things beside it, which
// gather() tells by their physical addresses.
static uint64_t image_from(const struct kernel *k)
{
	return k->arch == ARCH_X86_64 ? KERNEL_IMAGE_BASE
				      : k_image_va(k, k->window_pa) - IMAGE_BEFORE_RODATA;
}

static void read_image(struct deduction *d)
{
	struct gathering g = {.d = d};
	uint64_t budget = TABLES_MOST, from = image_from(d->k);
	uint64_t n = d->k->arch == ARCH_X86_64 ? IMAGE_MOST : DATA_MOST;
	struct image_part *p;

	d->whole = aspace_scan(&d->k->as, from, from + n, &budget, gather, &g) == SCAN_WHOLE;
	vec_foreach (p, &d->parts) {
		uint64_t pa = k_image_pa(d->k, p->va);
		p->bytes = mem_zalloc(p->n, 1);
		(void)physmem_read_bulk(d->k->mem, pa, p->bytes, p->n);
		d->whole = is_there(d->k->mem, pa, p->n) && d->whole; // reading tells
	}
}

static void forget_image(struct deduction *d)
{
	struct image_part *p;

	vec_foreach (p, &d->parts)
		mem_free(p->bytes);
	vec_fini(&d->parts);
}

// --- what recognisers use ---

bool word_near(const struct word *w, int64_t delta, uint64_t *v)
{
	uint64_t off = w->at - w->part->va + (uint64_t)delta;

	if (off > w->part->n || w->part->n - off < 8)
		return false;
	*v = le64(w->part->bytes + off);
	return true;
}

bool deduce_is_direct(const struct deduction *d, uint64_t va)
{
	return va >= d->k->page_offset && va < d->ram_end;
}

bool deduce_is_image(const struct deduction *d, uint64_t va)
{
	return va >= d->start && va < d->end;
}

uint64_t deduce_find_bytes(const struct deduction *d, const void *bytes, size_t n, size_t align)
{
	const struct image_part *p;

	vec_foreach (p, &d->parts) {
		const uint8_t *at = p->bytes, *end = p->bytes + p->n;
		while (p->writable && (at = memmem(at, (size_t)(end - at), bytes, n))) {
			uint64_t va = p->va + (uint64_t)(at - p->bytes);
			if (va % align == 0)
				return va;
			at++;
		}
	}
	return 0;
}

void deduce_set(struct deduction *d, enum symbol s, uint64_t va)
{
	if (!d->k->symbol[s])
		d->k->symbol[s] = va;
}

void deduce_value(struct deduction *d, enum symbol s, uint64_t value)
{
	if (!d->k->symbol[s])
		d->k->deduced[s] = (struct deduced){.known = true, .value = value};
}

void deduce_none(struct deduction *d, enum symbol s)
{
	d->k->deduced[s].none = d->whole && !d->k->symbol[s];
}

// --- the pass ---

static void show(struct deduction *d, const struct word *w)
{
	static recogniser *const all[] = {
		see_percpu_offset, see_list, see_netlink_tables, see_e820_table,
		see_command_line,  see_dmi,  see_vmcoreinfo,	 see_map_bases,
		see_gate_vma,	   see_node, see_swap_info,	 see_timekeeper,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		all[i](d, w);
}

static void pass(struct deduction *d)
{
	const struct image_part *p;

	vec_foreach (p, &d->parts)
		for (size_t off = 0; off + 8 <= p->n; off += 8) {
			uint64_t v = le64(p->bytes + off);
			if (v >= d->k->page_offset && k_plausible(d->k, v))
				show(d, &(struct word){p->va + off, v, p});
		}
}

void deduce_symbols(struct kernel *k)
{
	struct deduction d = {.k = k, .ram_end = k->page_offset + physmem_end(k->mem)};

	k->data_deduced = true;
	(void)k_enum(k, "DMI_BIOS_DATE", &d.dmi_date);
	d.has_clock_symbol = k->symbol[S(tk_core)] || k->symbol[S(timekeeper_data)];
	read_image(&d);
	// arm64 does not map its head, the first up to 64 KiB, as code
	deduce_set(&d, S(_text),
		   k->arch == ARCH_ARM64 ? d.text & ~(uint64_t)(HEAD_ALIGN - 1) : d.text);
	deduce_namespaces(&d);
	deduce_protocols(&d);
	deduce_percpu_start(&d);
	pass(&d);
	deduce_boot_cpu(&d);
	symbols_open_percpu(k);
	deduce_cpu_info(&d);
	deduce_page_tables(&d);
	deduce_counters(&d);
	deduce_swap(&d);
	deduce_frequency(&d);
	deduce_vsyscall(&d);
	deduce_file_systems(&d);
	deduce_vdso(&d);
	deduce_log(&d);
	deduce_none(&d, S(modules));
	deduce_none(&d, S(btf_modules));
	deduce_none(&d, S(ping_table));
	deduce_none(&d, S(unix_socket_table));
	forget_image(&d);
}
