// SPDX-License-Identifier: LGPL-2.1-or-later
// RAM blocks of a migration stream -> physical memory.
//
// The stream names its blocks and says nothing of where the guest has them. The machine's own
// memory is one block with a well-known name, or those that the user named (memory backends, one a
// NUMA node), in the order of addresses; the PCI hole splits it. The CMOS has the split exactly;
// where there is none, or where the guest wrote to it, the kernel search tries the candidates.
#include "formats/qemu_stream.h"

#include "formats/readers.h"
#include "src/base/scope.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { SUBSETS_OF = 12 };

static const uint64_t HIGH_RAM = UINT64_C(4) << 30;
static const uint64_t VIRT_RAM = UINT64_C(1) << 30; // QEMU hw/arm/virt.c, VIRT_MEM
static const uint64_t PHYS_END = UINT64_C(1) << 52;
static const uint64_t DEVICE_MEMORY_ALIGN = UINT64_C(1) << 30;

typedef unsigned long long ull;
typedef VEC(struct mem_run) run_vec;

struct layout {
	struct qemu_stream *s;
	VEC(size_t) ram, dimms; // places in the stream's list of blocks
	uint64_t size;		// of ram
};

static const struct qemu_block *ram_block(const struct layout *l, size_t i)
{
	return &l->s->blocks.at[l->ram.at[i]];
}

static bool starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

static bool ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n >= m && strcmp(name + n - m, with) == 0;
}

// Firmware, option ROMs, graphics memory: PCI devices' have the device's address in front.
static bool is_device(const char *name)
{
	static const char *const first[] = {"/rom@", "0000:", "system.flash", "vga.", "virt.flash"};
	static const char *const last[] = {".rom", ".bios", ".vram", "isa-bios", ".vrom"};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (starts(name, first[i]))
			return true;
	for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
		if (ends(name, last[i]))
			return true;
	return false;
}

static bool is_default(const char *name)
{
	return strcmp(name, "pc.ram") == 0 || strcmp(name, "microvm.ram") == 0 ||
	       strcmp(name, "xen.ram") == 0 || strcmp(name, "mach-virt.ram") == 0;
}

// --- Which blocks are RAM ---

static uint64_t sum_of(const struct layout *l, unsigned set)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < l->ram.n; i++)
		sum += set & 1U << i ? ram_block(l, i)->size : 0;
	return sum;
}

static void keep(struct layout *l, unsigned set)
{
	size_t n = 0;

	for (size_t i = 0; i < l->ram.n; i++)
		if (set & 1U << i)
			l->ram.at[n++] = l->ram.at[i];
		else
			vec_push(&l->dimms, l->ram.at[i]);
	l->ram.n = n;
}

// The most blocks that together have as much as the CMOS says; all if there are none such.
static void drop_dimms(struct layout *l)
{
	uint64_t total = l->s->low_ram + l->s->high_ram;
	unsigned best = 0;

	if (l->ram.n > SUBSETS_OF || total == 0)
		return;
	for (unsigned set = 1; set < 1U << l->ram.n; set++)
		if (sum_of(l, set) == total && __builtin_popcount(set) > __builtin_popcount(best))
			best = set;
	if (best)
		keep(l, best);
}

static size_t stem(const char *name)
{
	size_t n = strlen(name);

	while (n > 0 && isdigit((unsigned char)name[n - 1]))
		n--;
	return n;
}

static bool only_numbers_differ(const struct layout *l)
{
	for (size_t i = 1; i < l->ram.n; i++) {
		const char *a = ram_block(l, 0)->name, *b = ram_block(l, i)->name;
		if (stem(a) != stem(b) || strncmp(a, b, stem(a)) != 0)
			return false;
	}
	return true;
}

// The list has the largest block first, and nodes of one size as they were made. So names that
// differ only in a number tell the order better.
static void order_nodes(struct layout *l)
{
	if (!only_numbers_differ(l))
		return;
	for (size_t i = 1; i < l->ram.n; i++)
		for (size_t k = i;
		     k > 0 && strverscmp(ram_block(l, k - 1)->name, ram_block(l, k)->name) > 0;
		     k--) {
			size_t other = l->ram.at[k];
			l->ram.at[k] = l->ram.at[k - 1];
			l->ram.at[k - 1] = other;
		}
}

static void choose_blocks(struct layout *l)
{
	const struct qemu_block *blocks = l->s->blocks.at;
	size_t n = l->s->blocks.n, main = n;

	for (size_t i = 0; i < n; i++)
		if (is_default(blocks[i].name))
			main = i;
	for (size_t i = 0; i < n; i++) {
		if (i == main || (main == n && !is_device(blocks[i].name)))
			vec_push(&l->ram, i);
		else if (!is_device(blocks[i].name))
			vec_push(&l->dimms, i);
	}
	if (main == n) {
		drop_dimms(l);
		order_nodes(l);
	}
	for (size_t i = 0; i < l->ram.n; i++)
		l->size += ram_block(l, i)->size;
}

// --- What the stream has of them ---

static void add_pages(run_vec *runs, uint64_t pa, uint64_t off, uint64_t size)
{
	struct mem_run *last = runs->n ? &runs->at[runs->n - 1] : NULL;

	if (last && last->pa + last->size == pa && last->off + last->size == off)
		last->size += size;
	else
		vec_push(runs, ((struct mem_run){pa, size, off, MEM_PRESENT}));
}

// What the file reaches of a block that has its pages one after the other.
static void add_mapped(const struct qemu_stream *s, const struct qemu_block *b, uint64_t pa,
		       run_vec *runs)
{
	uint64_t size = b->pages_off < s->end ? s->end - b->pages_off : 0;

	size = size < b->size ? size / PAGE_SIZE * PAGE_SIZE : b->size;
	if (size > 0)
		add_pages(runs, pa, b->first * PAGE_SIZE, size);
}

// Those of n pages, all of one leaf, that some record has.
static void add_of_leaf(const struct qindex *ix, uint64_t page, uint64_t n, uint64_t pa,
			run_vec *runs)
{
	const uint64_t *leaf = ix->leaves[page / QINDEX_LEAF], *entry = leaf + page % QINDEX_LEAF;
	uint64_t i = 0;

	while (i < n) {
		uint64_t from = i;
		if (leaf == ix->zeros)
			i = n;
		while (i < n && entry[i] != qpage(QPAGE_ABSENT, 0))
			i++;
		if (i > from)
			add_pages(runs, pa + from * PAGE_SIZE, (page + from) * PAGE_SIZE,
				  (i - from) * PAGE_SIZE);
		else
			i++;
	}
}

// The block at pa, without the pages that no record has.
static void add_block(const struct layout *l, const struct qemu_block *b, uint64_t pa,
		      run_vec *runs)
{
	const struct qindex *ix = &l->s->ix;
	uint64_t end = b->first + b->size / PAGE_SIZE, step;

	if (l->s->mapped) {
		add_mapped(l->s, b, pa, runs);
		return;
	}
	for (uint64_t page = b->first; page < end; page += step) {
		step = QINDEX_LEAF - page % QINDEX_LEAF;
		if (step > end - page)
			step = end - page;
		if (qindex_has_leaf(ix, page))
			add_of_leaf(ix, page, step, pa + (page - b->first) * PAGE_SIZE, runs);
	}
}

// --- Where they are ---

static bool cmos_fits(const struct layout *l)
{
	const struct qemu_stream *s = l->s;

	return s->low_ram && s->low_ram + s->high_ram == l->size && s->low_ram <= HIGH_RAM &&
	       s->low_ram % PAGE_SIZE == 0;
}

static const struct qemu_hint *hint_for(const struct qemu_stream *s, const char *block)
{
	for (size_t i = 0; s->hints && i < s->hints->n; i++)
		if (strcmp(s->hints->at[i].block, block) == 0)
			return &s->hints->at[i];
	return NULL;
}

static bool overlaps(const run_vec *runs, uint64_t pa, uint64_t size)
{
	for (size_t i = 0; i < runs->n; i++)
		if (pa < runs->at[i].pa + runs->at[i].size && runs->at[i].pa < pa + size)
			return true;
	return false;
}

// At its hint, or at *pa, which goes on behind it.
static void add_dimm(struct layout *l, const struct qemu_block *b, uint64_t *pa, run_vec *runs)
{
	const struct qemu_hint *h = hint_for(l->s, b->name);
	uint64_t at = h ? h->pa : *pa;

	if (at % PAGE_SIZE || at > PHYS_END - b->size || overlaps(runs, at, b->size)) {
		image_fact(l->s->img, "DIMM", "%s, left out: it can't be at 0x%llx", b->name,
			   (ull)at);
		return;
	}
	image_fact(l->s->img, "DIMM", "%s, %s 0x%llx", b->name, h ? "at" : "taken to be at",
		   (ull)at);
	add_block(l, b, at, runs);
	*pa = at + b->size;
}

static int by_pa(const void *a, const void *b)
{
	const struct mem_run *x = a, *y = b;

	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

// DIMMs are in the area for devices' memory, one after the other (QEMU hw/i386/pc.c): unless the
// user gave them other addresses, which the stream does not have.
static void add_dimms(struct layout *l, run_vec *runs)
{
	uint64_t pa = (HIGH_RAM + l->s->high_ram + DEVICE_MEMORY_ALIGN - 1) / DEVICE_MEMORY_ALIGN *
		      DEVICE_MEMORY_ALIGN;

	for (size_t i = 0; i < l->dimms.n; i++)
		add_dimm(l, &l->s->blocks.at[l->dimms.at[i]], &pa, runs);
	if (l->dimms.n)
		qsort(runs->at, runs->n, sizeof(*runs->at), by_pa);
}

// The CMOS does not say where high RAM starts. That is 4 GiB but for some guests with a CPU of AMD
// (hole.c): the kernel search may move it, unless DIMMs lie behind it.
static void leave_high_open(struct layout *l, run_vec *flat)
{
	struct image *img = l->s->img;

	if (!l->s->high_ram || l->dimms.n)
		return;
	img->flat = flat->at;
	img->n_flat = flat->n;
	img->flat_size = l->size;
	img->flat_low_end = l->s->low_ram;
	flat->at = NULL;
}

static void place_by_cmos(struct layout *l, run_vec *flat, run_vec *runs)
{
	const struct hole hole = {l->s->high_ram ? l->s->low_ram : 0, HIGH_RAM};
	struct image *img = l->s->img;

	runs->at = mem_alloc((flat->n + 1) * sizeof(*runs->at));
	runs->cap = flat->n + 1;
	runs->n = hole_lay_out(runs->at, flat->at, flat->n, hole);
	add_dimms(l, runs);
	img->layout_note =
		l->s->high_ram
			? mem_printf("low RAM ends at 0x%llx, the rest lies from 4 GiB on (by the "
				     "machine's CMOS)",
				     (ull)l->s->low_ram)
			: mem_printf("all RAM is below 0x%llx (by the machine's CMOS)",
				     (ull)l->s->low_ram);
	leave_high_open(l, flat);
}

// They lie behind RAM, of which the end is not known.
static void leave_dimms_out(const struct layout *l)
{
	for (size_t i = 0; i < l->dimms.n; i++)
		image_fact(l->s->img, "DIMM", "%s, left out: its address is not known",
			   l->s->blocks.at[l->dimms.at[i]].name);
}

// The machines of arm64 have all RAM in one piece.
static bool is_virt(const struct qemu_stream *s)
{
	return starts(s->machine, "virt");
}

static void place_virt(struct layout *l, run_vec *flat, run_vec *runs)
{
	leave_dimms_out(l);
	*runs = *flat;
	flat->at = NULL;
	l->s->img->layout_note = mem_printf("RAM begins at 0x%llx (the machine is %s)",
					    (ull)VIRT_RAM, l->s->machine);
}

static void place_flat(struct layout *l, run_vec *flat, run_vec *runs)
{
	struct image *img = l->s->img;

	leave_dimms_out(l);
	for (size_t i = 0; i < flat->n; i++)
		vec_push(runs, flat->at[i]);
	img->flat = flat->at;
	img->n_flat = flat->n;
	img->flat_size = l->size;
	flat->at = NULL;
}

static struct err *check_any(const struct layout *l, size_t n)
{
	const struct qemu_stream *s = l->s;

	if (n > 0)
		return NULL;
	if (s->ignore_shared)
		return err_new(ERR_UNSUPPORTED,
			       "a migration stream with x-ignore-shared: RAM is in the file of the "
			       "guest's memory backend; give that");
	return err_new(ERR_FORMAT, "a migration stream without a page of RAM in it%s%s",
		       s->img->truncated_why ? ": " : "",
		       s->img->truncated_why ? s->img->truncated_why : "");
}

static struct err *place(struct layout *l)
{
	run_vec flat = {0}, runs = {0};
	uint64_t pa = is_virt(l->s) ? VIRT_RAM : 0;

	for (size_t i = 0; i < l->ram.n; pa += ram_block(l, i++)->size)
		add_block(l, ram_block(l, i), pa, &flat);
	struct err *e = check_any(l, flat.n);
	if (!e && cmos_fits(l))
		place_by_cmos(l, &flat, &runs);
	else if (!e && is_virt(l->s))
		place_virt(l, &flat, &runs);
	else if (!e)
		place_flat(l, &flat, &runs);
	l->s->img->runs = runs.at;
	l->s->img->n_runs = runs.n;
	mem_free(flat.at);
	return e;
}

struct err *qemu_layout(struct qemu_stream *s)
{
	struct layout l = {.s = s};

	choose_blocks(&l);
	struct err *e = place(&l);
	vec_fini(&l.ram);
	vec_fini(&l.dimms);
	return e;
}
